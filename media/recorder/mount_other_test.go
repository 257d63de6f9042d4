//go:build !linux

package recorder

import "errors"

func mount(string) error { return errors.New("not on Linux") }

func unmount(string) {}
