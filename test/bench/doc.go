// Package bench measures the switch and prints one table: what each figure of
// docs/performance.md is, what it should be, and where the bar is. It decides
// nothing: whatever the figures are, it ends well; it fails when a run itself
// failed.
//
// The switch is the built program in a process of its own, `serve --config`; the
// callers are package switch/phone, or sipp, in this one. CPU is user and system
// time of the switch's process. Beside it stands a floor in C, testdata/floor.c,
// which the bench builds with gcc: the kernel's part of carrying sound.
//
// It has the build tag bench and runs on Linux, by `make bench`; ARGS=-short
// takes two minutes, ARGS='-only=h,c' chooses parts, ARGS=-list lists them.
// Start reading at bench_test.go.
package bench
