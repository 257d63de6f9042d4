// A page with JsSIP or SIP.js, both unchanged, against a running switch:
//   node sip-pages.mjs --library jssip --ws ws://127.0.0.1:9509/sip --http http://127.0.0.1:9509
// The numbers it calls are those of test/peers/browser_test.go.
import { launch, bundle, pages, until, step, finish, argument } from './lib.mjs';

const library = argument('library');
const ws = argument('ws');
const api = argument('http');
const domain = 'localhost';
const good = { ws, user: '1001', password: 'violet-cedar', domain };

const site = await pages(await bundle(`page-${library}.js`));
const browser = await launch({ args: ws.startsWith('wss:') ? ['--ignore-certificate-errors'] : [] });
const page = await (await browser.newContext({ ignoreHTTPSErrors: true })).newPage();
page.on('pageerror', (e) => console.log('      page: ' + e));

const client = (name, ...arg) => page.evaluate(([n, a]) => window.client[n](...a), [name, arg]);
const events = () => page.evaluate(() => window.client.events);
let from = 0; // events before the step
const happened = async (what, pattern) => {
  const seen = await until(what, async () => {
    const e = (await events()).slice(from);
    return e.find((x) => pattern.test(x));
  }).catch(async (e) => { throw new Error(`${e.message}; seen: ${(await events()).slice(from).join(' | ')}`); });
  return seen;
};
const fresh = async () => { from = (await events()).length; };
const hears = (hertz) => until(`a tone of ${hertz} Hz`, async () => {
  const h = await client('hear');
  return h.rms > 0.02 && Math.abs(h.hertz - hertz) < 25 && `${Math.round(h.hertz)} Hz, ${(20 * Math.log10(h.rms)).toFixed(1)} dBFS`;
});
const silence = () => until('silence', async () => (await client('hear')).rms < 0.003 && 'silent');
const command = async (query) => {
  const r = await fetch(`${api}/api?Username=HTTP_User_1&Password=orange-lantern&${query}`);
  return r.text();
};
const ring = 'command=Call&Dialed=1001&ApiExtension=9200&ResponseOzML=' + encodeURIComponent('<Response><Play>440.wav</Play></Response>');
const calls = async () => {
  const r = await fetch(`${api}/v1/calls`, { headers: { Authorization: 'Basic ' + btoa('HTTP_User_1:orange-lantern') } });
  return r.json();
};
const noCall = () => until('the switch has no call left', async () => (await calls()).live.length === 0);

try {
  await page.goto(site.origin);
  await step('a wrong password is refused', async () => {
    await client('start', { ...good, password: 'wrong' });
    const said = await happened('the refusal', /registration failed/);
    await client('stop');
    return said;
  });
  await page.reload();
  from = 0;
  await step('registers', async () => {
    await client('start', good);
    return happened('the registration', /^registered$/);
  });
  await step('calls a script and hears its tone', async () => {
    await client('call', '9100', 1000);
    await happened('the answer', /^confirmed$/);
    return hears(440);
  });
  await step('a key by RFC 4733 takes the branch', async () => {
    await client('key', '1');
    return hears(880);
  });
  await step('holds: the switch sends nothing', async () => {
    await client('hold');
    return silence();
  });
  await step('resumes', async () => {
    await client('resume');
    return hears(880);
  });
  await step('restarts ICE in the call', async () => {
    await client('restart');
    return hears(880);
  });
  await step('a key by INFO takes the branch: a recording', async () => {
    await client('key', '2', 'info');
    return silence();
  });
  await step('a key ends the recording, another the call: the far end hangs up', async () => {
    await new Promise((r) => setTimeout(r, 3000)); // what is recorded
    await client('key', '3');
    const said = await happened('the far end hangs up', /^ended by remote|^terminated/);
    await noCall();
    return said;
  });
  await fresh();
  await step('echo: hears itself', async () => {
    await client('call', '9900', 660);
    await happened('the answer', /^confirmed$/);
    return hears(660);
  });
  await step('hangs up itself', async () => {
    await client('hangup');
    await noCall();
  });
  await fresh();
  await step('a number that does not exist fails in words', async () => {
    await client('call', '4711', 660);
    return happened('the refusal', /^failed|^terminated/);
  });
  await fresh();
  await step('is called by the HTTP API, answers and hears', async () => {
    const asked = command(ring);
    await happened('the call', /^incoming call/);
    await client('answer', 1000);
    const heard = await hears(440);
    const said = await asked;
    if (!said.includes('<Code>200</Code>')) throw new Error(said);
    await client('hangup');
    await noCall();
    return heard;
  });
  await fresh();
  await step('declines a call', async () => {
    const asked = command(ring);
    await happened('the call', /^incoming call/);
    await asked; // it rang
    await client('decline');
    await noCall();
    return until('busy in the history', async () => (await calls()).past[0]?.result === 'busy' && 'the history says busy');
  });
  await fresh();
  await step('unregisters', async () => {
    await client('unregister');
    await happened('the end of the registration', /^unregistered$/);
    const said = await command(ring);
    if (!/<Code>4\d\d<\/Code>/.test(said)) throw new Error(said);
  });
} finally {
  await browser.close();
  site.close();
}
finish();
