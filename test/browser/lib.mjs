// What the browser tests share: a Chromium with a microphone that plays a file,
// a page server, and steps that print one line each.
import { chromium } from 'playwright-core';
import { build } from 'esbuild';
import { createServer } from 'node:http';
import { readFileSync } from 'node:fs';

export const LIMIT = 60_000; // milliseconds that a test waits for one thing

// launch starts Debian's Chromium; mic is a wav file for the microphone.
export function launch({ mic, args = [] } = {}) {
  return chromium.launch({
    executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
    args: [
      '--no-sandbox', // the tests run as root
      '--use-fake-ui-for-media-stream',
      '--use-fake-device-for-media-stream',
      '--autoplay-policy=no-user-gesture-required',
      ...(mic ? [`--use-file-for-fake-audio-capture=${mic}`] : []),
      ...args,
    ],
  });
}

// bundle gives the code of a page.
export async function bundle(entry) {
  const out = await build({ entryPoints: [entry], bundle: true, write: false, format: 'iife', define: { global: 'window' }, logLevel: 'error' });
  return out.outputFiles[0].text;
}

// pages serves one empty page with a script; it gives the origin and a way to stop.
export async function pages(script, address = '127.0.0.1') {
  const server = createServer((req, res) => {
    const js = req.url === '/page.js';
    res.setHeader('Content-Type', js ? 'text/javascript' : 'text/html');
    res.end(js ? script : '<!doctype html><title>phone</title><script src="/page.js"></script>');
  });
  await new Promise((done) => server.listen(Number(process.env.PAGE_PORT || 0), address, done));
  return { origin: `http://${address}:${server.address().port}`, close: () => server.close() };
}

// until waits for f to give something true.
export async function until(what, f, limit = LIMIT) {
  const end = Date.now() + limit;
  for (;;) {
    const v = await f();
    if (v) return v;
    if (Date.now() > end) throw new Error(`${what}: not after ${limit / 1000} s`);
    await new Promise((r) => setTimeout(r, 50));
  }
}

let failed = 0;

// step runs one step of a test and prints how it went; with a page, a failure
// leaves a picture.
export async function step(name, f) {
  const begun = performance.now();
  try {
    const said = await f();
    console.log(`ok    ${name}${said ? ': ' + said : ''} (${Math.round(performance.now() - begun)} ms)`);
  } catch (e) {
    failed++;
    console.log(`FAIL  ${name}: ${e.stack || e}`);
    throw e;
  }
}

// finish ends the program with what the steps came to.
export function finish() {
  process.exit(failed ? 1 : 0);
}

export const argument = (name) => {
  const i = process.argv.indexOf('--' + name);
  return i < 0 ? undefined : process.argv[i + 1];
};

export const text = (file) => readFileSync(file, 'utf8');
