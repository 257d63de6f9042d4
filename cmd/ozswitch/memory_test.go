package main

import (
	"math"
	"runtime/debug"
	"testing"
	"testing/fstest"
)

// TestMemoryRoom: the least of what the machine and each control group above the
// process leave is what counts.
func TestMemoryRoom(t *testing.T) {
	const meminfo = "MemTotal:       24683520 kB\nMemAvailable:    1000000 kB\nSwapTotal: 0 kB\n"
	for _, c := range []struct {
		name  string
		files map[string]string
		want  int64
	}{
		{"nothing is known", nil, 0},
		{"no control group", map[string]string{"proc/meminfo": meminfo}, 1000000 << 10},
		{"version 2", map[string]string{"proc/meminfo": meminfo, "proc/self/cgroup": "0::/a/b\n",
			"sys/fs/cgroup/a/b/memory.max": "max\n", "sys/fs/cgroup/a/memory.max": "268435456\n"}, 256 << 20},
		{"version 2, in a container", map[string]string{"proc/meminfo": meminfo, "proc/self/cgroup": "0::/\n",
			"sys/fs/cgroup/memory.max": "268435456\n"}, 256 << 20},
		{"version 1", map[string]string{"proc/meminfo": meminfo, "proc/self/cgroup": "5:cpu:/x\n4:memory:/a\n0::/\n",
			"sys/fs/cgroup/memory/a/memory.limit_in_bytes": "134217728\n", "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n"}, 128 << 20},
		{"a group that is larger than the machine", map[string]string{"proc/meminfo": meminfo, "proc/self/cgroup": "0::/\n",
			"sys/fs/cgroup/memory.max": "99999999999999\n"}, 1000000 << 10},
	} {
		root := fstest.MapFS{}
		for name, text := range c.files {
			root[name] = &fstest.MapFile{Data: []byte(text)}
		}
		if got := memoryRoom(root); got != c.want {
			t.Errorf("%s: room %d, want %d", c.name, got, c.want)
		}
	}
}

// TestSetMemory: what the user has set stays.
func TestSetMemory(t *testing.T) {
	percent, limit := debug.SetGCPercent(100), debug.SetMemoryLimit(-1)
	defer func() { debug.SetGCPercent(percent); debug.SetMemoryLimit(limit) }()
	debug.SetMemoryLimit(math.MaxInt64)
	root := fstest.MapFS{"proc/meminfo": {Data: []byte("MemAvailable: 2097152 kB\n")}}
	setMemory(root, func(string) (string, bool) { return "", true })
	if p, l := debug.SetGCPercent(100), debug.SetMemoryLimit(-1); p != 100 || l != math.MaxInt64 {
		t.Errorf("with GOGC and GOMEMLIMIT set: %d %%, limit %d; want them left alone", p, l)
	}
	setMemory(root, func(string) (string, bool) { return "", false })
	if p, l := debug.SetGCPercent(100), debug.SetMemoryLimit(-1); p != collectAt || l != 1<<30 {
		t.Errorf("%d %%, limit %d; want %d %% and half of 2 GiB", p, l, collectAt)
	}
}
