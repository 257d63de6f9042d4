package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
)

// A tool is a program that the tests need and the Debian package that has it.
// A peer may be left out by its name with -skip.
type tool struct {
	name, pkg string
	peer      bool
}

var tools = []tool{
	{"gcc", "gcc libc6-dev", false}, // the race detector
	{"npm", "nodejs npm", false},
	{"sipp", "sip-tester", true},
	{"baresip", "baresip", true},
	{"linphonec", "linphone-cli", true},
	{"kamailio", "kamailio", true},
	{"aiosmtpd", "python3-aiosmtpd", true},
	{"php", "php-cli", true},
	{"python3", "python3", true},
	{"node", "nodejs", true},
	{"ffmpeg", "ffmpeg", true},
	{"sox", "sox", true},
	{"mpg123", "mpg123", true},
	{"lame", "lame", true},
	{"systemd-analyze", "systemd", true},
	{"tshark", "tshark", true},
	{"xmllint", "libxml2-utils", true},
	{"espeak-ng", "espeak-ng", true},
	{"chromium", "chromium fonts-dejavu-core", true},
	{"ip", "iproute2", false},
}

// setup fetches what is missing. A peer that cannot be had is no failure here
// but in its own tests, which name it.
func setup(ctx context.Context, r *report) {
	left := splitList(*skip)
	var pkgs, names []string
	for _, t := range tools {
		if _, err := exec.LookPath(t.name); err == nil || t.peer && slices.Contains(left, t.name) {
			continue
		}
		names = append(names, t.name)
		pkgs = append(pkgs, strings.Fields(t.pkg)...)
	}
	if len(pkgs) > 0 {
		install(ctx, r, names, pkgs)
	}
	r.check(ctx, "go mod download", nil, "go", "mod", "download")
	r.check(ctx, "make build", nil, "make", "--no-print-directory", "build")
	if !slices.Contains(left, "chromium") {
		r.check(ctx, "npm ci in test/browser", nil, "npm", "ci", "--prefix", "test/browser", "--ignore-scripts", "--no-audit", "--no-fund")
	}
}

func install(ctx context.Context, r *report, names, pkgs []string) {
	if _, err := exec.LookPath("apt-get"); err != nil {
		fmt.Fprintf(r.out, "   not here, and no apt-get to fetch them: %s\n", strings.Join(names, ", "))
		return
	}
	var su []string
	if os.Geteuid() != 0 {
		su = []string{"sudo", "-n"}
	}
	quiet := []string{"DEBIAN_FRONTEND=noninteractive"}
	apt := func(arg ...string) []string { return slices.Concat(su, []string{"apt-get", "-qq"}, arg) }
	fmt.Fprintf(r.out, "   installing %s\n", strings.Join(pkgs, " "))
	if out, err := output(ctx, quiet, apt("update")...); err != nil {
		fmt.Fprintf(r.out, "%s   apt-get update: %v\n", out, err)
	}
	if out, err := output(ctx, quiet, apt(append([]string{"install", "-y", "--no-install-recommends"}, pkgs...)...)...); err != nil {
		fmt.Fprintf(r.out, "%s   apt-get install: %v\n", out, err)
	}
}

// peers runs the tests against real peers. Fewer than .ci/peers.txt says is a
// failure, unless peers were left out on purpose.
func peers(ctx context.Context, r *report) {
	if !r.check(ctx, "make build", nil, "make", "--no-print-directory", "build") {
		return
	}
	ran := goTest(ctx, r, "-tags", "peers", "-count=1", "-timeout", "30m", "./test/peers", "-args", "-skip", *skip)
	least, err := leastPeers()
	switch {
	case err != nil:
		r.fail(".ci/peers.txt", err.Error())
	case *skip == "" && ran < least:
		r.fail(".ci/peers.txt", fmt.Sprintf("%d tests against peers ran, want at least %d", ran, least))
	default:
		fmt.Fprintf(r.out, "   %d tests against peers ran, at least %d wanted\n", ran, least)
	}
}

func leastPeers() (int, error) {
	b, err := os.ReadFile(".ci/peers.txt")
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(b)) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			return strconv.Atoi(line)
		}
	}
	return 0, fmt.Errorf("no number in it")
}
