# Two commands do everything on an empty machine: make demo, make test.
# Needed beforehand: Go 1.26, Node 20 with npm, make (README, "Start").

SHELL  := /bin/bash
GO     ?= go
ARGS   ?=
SKIP   ?=
STAGES := $(GO) run ./internal/stages -skip '$(SKIP)'

# Third-party artefacts (ADR 0006): a folder with package-lock.json and
# assets.sh fetches its own into assets/. The stamp lists them; it is made anew
# when the lock or the script changed, or when one of them is gone.
ASSETS := $(patsubst %/assets.sh,%/node_modules/.assets,$(wildcard media/*/assets.sh switch/*/assets.sh switch/*/*/assets.sh))
GONE   := $(shell for s in $(ASSETS); do (cd $${s%node_modules/*}assets && xargs ls -d <../node_modules/.assets) >/dev/null 2>&1 || echo $$s; done)

.PHONY: all build assets demo test lint unit faults fuzz peers cross generate bench clean $(GONE)

all: build

# The version comes from the git tag; without one the program says dev.
VERSION := $(shell git describe --tags --exact-match 2>/dev/null)

build: assets
	$(GO) build -trimpath -ldflags '-X main.version=$(VERSION:v%=%)' -o bin/ozswitch ./cmd/ozswitch

assets: $(ASSETS)

$(ASSETS): %/node_modules/.assets: %/package-lock.json %/assets.sh
	cd $* && sh ./assets.sh && ls assets >node_modules/.assets

# The pages are made of our own files as well.
switch/console/node_modules/.assets: $(shell find switch/console/web switch/console/*.mjs switch/console/tsconfig.json -type f)

# make demo ARGS=--once leaves when the demonstration is over.
demo: build
	bin/ozswitch demo $(ARGS)

# make test SKIP=chromium,kamailio leaves those peers out and says so.
test:
	$(STAGES)

# One stage alone; `go run ./internal/stages -list` explains them.
lint unit faults fuzz peers cross generate:
	$(STAGES) $@

# make bench ARGS=-short takes two minutes; ARGS=-list lists its parts, and
# ARGS='-only=c,h' runs some. docs/performance.md tells how to read it.
bench: build
	$(GO) test -c -tags bench -o bin/bench ./test/bench
	bin/bench $(ARGS)

clean:
	rm -rf bin $(dir $(ASSETS))
