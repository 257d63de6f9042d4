package main

import (
	"bufio"
	"bytes"
	"io/fs"
	"math"
	"path"
	"runtime/debug"
	"strconv"
	"strings"
)

// collectAt is GOGC of a running switch: what lives is small beside the memory
// of a machine, so the collector may wait until there is four times as much
// (performance.md, rule 8).
const collectAt = 300

// setMemory tells the runtime when to collect: seldom, but before half of the
// memory is used that the machine has left for this process. The other half is
// for worker processes and the cache of the disk. GOGC and GOMEMLIMIT go before.
// root is the root of the file system; env is os.LookupEnv.
func setMemory(root fs.FS, env func(string) (string, bool)) (percent int, limit int64) {
	percent, limit = -1, -1
	if _, set := env("GOGC"); !set {
		percent = collectAt
		debug.SetGCPercent(percent)
	}
	if _, set := env("GOMEMLIMIT"); !set {
		if room := memoryRoom(root); room > 0 {
			limit = max(room/2, 64<<20)
			debug.SetMemoryLimit(limit)
		}
	}
	return percent, limit
}

// memoryRoom is how many bytes this process may come to use: MemAvailable of
// proc/meminfo (proc_meminfo(5)), or less where a control group says so
// (cgroups(7): memory.max, in version 1 memory.limit_in_bytes, its own or one
// above it). 0 = not known.
func memoryRoom(root fs.FS) int64 {
	room := int64(math.MaxInt64)
	meminfo, _ := fs.ReadFile(root, "proc/meminfo")
	for line := range strings.Lines(string(meminfo)) {
		if v, ok := strings.CutPrefix(line, "MemAvailable:"); ok {
			if kb, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(v), "kB")), 10, 64); err == nil {
				room = kb << 10
			}
		}
	}
	groups, _ := fs.ReadFile(root, "proc/self/cgroup")
	for s := bufio.NewScanner(bytes.NewReader(groups)); s.Scan(); {
		f := strings.SplitN(s.Text(), ":", 3) // id:controllers:path
		if len(f) < 3 {
			continue
		}
		dir, file := "sys/fs/cgroup", "memory.max"
		switch {
		case f[1] == "memory":
			dir, file = "sys/fs/cgroup/memory", "memory.limit_in_bytes"
		case f[1] != "":
			continue
		}
		for p := path.Clean("/" + f[2]); ; p = path.Dir(p) {
			b, err := fs.ReadFile(root, path.Join(dir, p, file))
			if n, bad := strconv.ParseInt(strings.TrimSpace(string(b)), 10, 64); err == nil && bad == nil && n > 0 { // not "max"
				room = min(room, n)
			}
			if p == "/" {
				break
			}
		}
	}
	if room == math.MaxInt64 {
		return 0
	}
	return room
}
