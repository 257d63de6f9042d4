//go:build race

package alarm

const raceEnabled = true
