#!/bin/sh
# Fetches the encoder that package.json pins and puts it where the build embeds it. Called by `make assets`.
set -eu
cd "$(dirname "$0")"
npm ci --ignore-scripts --no-audit --no-fund
cp node_modules/wasm-media-encoders/LICENSE assets/mp3.LICENSE
# The new name appears only when it is whole.
cp node_modules/wasm-media-encoders/wasm/mp3.wasm assets/mp3.wasm.new
mv assets/mp3.wasm.new assets/mp3.wasm
ls -l assets
