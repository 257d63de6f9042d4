package store_test

import (
	"testing"

	"ozswitch/switch/store"
	"ozswitch/switch/store/storetest"
)

func TestMem(t *testing.T) {
	storetest.Test(t, func(*testing.T) store.Store { return store.NewMem() })
}
