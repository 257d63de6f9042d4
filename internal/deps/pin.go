//go:build pin

package deps

import (
	_ "github.com/HdrHistogram/hdrhistogram-go"
	_ "github.com/beevik/etree"
	_ "github.com/emiago/sipgo/sip"
	_ "github.com/goccy/go-yaml"
	_ "github.com/gotranspile/g722"
	_ "github.com/hajimehoshi/go-mp3"
	_ "github.com/pion/rtp"
	_ "github.com/prometheus/client_golang/prometheus"
	_ "github.com/prometheus/client_golang/prometheus/promhttp"
	_ "github.com/rogpeppe/go-internal/testscript"
	_ "github.com/schollz/progressbar/v3"
	_ "github.com/spf13/cobra"
	_ "github.com/tetratelabs/wazero"
	_ "github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
	_ "github.com/zaf/g711"
	_ "golang.org/x/sys/unix"
	_ "golang.org/x/text/encoding/htmlindex"
	_ "modernc.org/sqlite"
)
