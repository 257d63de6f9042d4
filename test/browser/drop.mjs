// A page loses its network in a call and comes back: it restarts ICE and hears
// on. Run in a network namespace of its own whose way out is --link.
import { execFileSync } from 'node:child_process';
import { launch, bundle, pages, until, step, finish, argument } from './lib.mjs';

const link = (state) => execFileSync('ip', ['link', 'set', argument('link'), state]);
const site = await pages(await bundle('page-jssip.js'));
const browser = await launch();
const page = await browser.newPage();
const client = (name, ...arg) => page.evaluate(([n, a]) => window.client[n](...a), [name, arg]);
const events = () => page.evaluate(() => window.client.events);
const tone = () => until('the tone', async () => {
  const h = await client('hear');
  return h.rms > 0.02 && Math.abs(h.hertz - 440) < 25 && `${Math.round(h.hertz)} Hz`;
});

try {
  await page.goto(site.origin);
  await step('calls and hears', async () => {
    await client('start', { ws: argument('ws'), user: '1001', password: 'violet-cedar', domain: 'localhost' });
    await until('registered', async () => (await events()).includes('registered'));
    await client('call', '9100', 1000);
    return tone();
  });
  await step('the network goes: silence', async () => {
    link('down');
    await until('silence', async () => (await client('hear')).rms < 0.003);
    return until('ICE notices', async () => /disconnected|failed/.test(await client('ice')) && client('ice'));
  });
  await step('it comes back, ICE restarts: hears on, in the same call', async () => {
    link('up');
    await until('the socket works again', async () => {
      const e = await events();
      return e.lastIndexOf('disconnected') <= e.lastIndexOf('connected');
    });
    await client('restart');
    const heard = await tone();
    const e = await events();
    if (e.some((x) => /^ended|^failed/.test(x))) throw new Error(e.join(' | '));
    return heard + '; seen: ' + e.join(' | ');
  });
  await step('hangs up', async () => {
    await client('hangup');
    await until('the end', async () => (await events()).some((x) => /^ended/.test(x)));
  });
} finally {
  await browser.close();
  site.close();
}
finish();
