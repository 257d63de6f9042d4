#!/bin/sh
# Builds the console's pages from web/ with what package.json pins, into
# assets/, which switch/console embeds. Called by `make assets`.
set -eu
cd "$(dirname "$0")"
# npm ci empties node_modules first, so only when the lock has changed.
[ node_modules/.package-lock.json -nt package-lock.json ] || npm ci --ignore-scripts --no-audit --no-fund
node_modules/.bin/tsc --noEmit
node build.mjs
