// A telephone by JsSIP that does what it is told, a line of standard input each:
//   node party.mjs --ws ws://127.0.0.1:9509/sip --user 1001 --password SECRET --hertz 440
// It prints what happens to it: "event accepted", "hears 700" (once a tone has
// come, again when it changes), "done COMMAND" or "error TEXT".
import { createInterface } from 'node:readline';
import { launch, bundle, pages, argument } from './lib.mjs';

const hertz = Number(argument('hertz'));
const site = await pages(await bundle('page-jssip.js'));
const browser = await launch();
const page = await (await browser.newContext()).newPage();
page.on('pageerror', (e) => console.log('error page: ' + e));
const client = (name, ...arg) => page.evaluate(([n, a]) => window.client[n](...a), [name, arg]);

await page.goto(site.origin);
await client('start', { ws: argument('ws'), user: argument('user'), password: argument('password'), domain: 'localhost' });

let told = 0;
let last = '';
const watch = setInterval(async () => {
  const events = await page.evaluate(() => window.client.events).catch(() => []);
  for (; told < events.length; told++) console.log('event ' + events[told]);
  const h = await client('hear').catch(() => ({ rms: 0, hertz: 0 }));
  const now = h.rms < 0.01 ? 'hears nothing' : `hears ${Math.round(h.hertz / 20) * 20}`;
  if (now !== last) console.log(now);
  last = now;
}, 100);

const commands = {
  call: (n) => client('call', n, hertz),
  answer: () => client('answer', hertz),
  consult: (n) => client('consult', n, hertz),
};
for await (const line of createInterface({ input: process.stdin })) {
  const [name, ...arg] = line.trim().split(/\s+/);
  if (name === 'quit') break;
  try {
    await (commands[name] ? commands[name](...arg) : client(name, ...arg));
    console.log('done ' + name);
  } catch (e) {
    console.log('error ' + name + ': ' + e.message);
  }
}
clearInterval(watch);
await browser.close();
process.exit(0);
