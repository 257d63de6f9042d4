//go:build race

package sdes

const raceEnabled = true
