// A page of another site that has a security token and no password: it asks /v1
// what it is, registers with JsSIP and calls, until the token is revoked.
//   node token-page.mjs --http http://127.0.0.1:9509
// The numbers and the user are those of test/peers/browser_test.go.
import { launch, bundle, pages, until, step, finish, argument } from './lib.mjs';

const api = argument('http');
const basic = { Authorization: 'Basic ' + btoa('HTTP_User_1:orange-lantern') };
const auth = '<SecurityToken><Extension>1001</Extension><Name>shop</Name></SecurityToken>';
const answer = await (await fetch(`${api}/api?Username=HTTP_User_1&Password=orange-lantern&command=GenerateSecurityToken&AuthXml=${encodeURIComponent(auth)}`)).text();
const token = /<SecurityToken>([\w-]{22})<\/SecurityToken>/.exec(answer)?.[1];

const site = await pages(await bundle('page-jssip.js'));
const browser = await launch({});
const page = await (await browser.newContext()).newPage();
const client = (name, ...arg) => page.evaluate(([n, a]) => window.client[n](...a), [name, arg]);
const happened = (what, pattern) => until(what, async () => (await page.evaluate(() => window.client.events)).find((x) => pattern.test(x)));
const ask = (path, method = 'GET') => page.evaluate(async ([url, m, t]) => {
  const r = await fetch(url, { method: m, headers: { Authorization: 'Bearer ' + t, 'Content-Type': 'application/json' }, body: m === 'POST' ? '{"to":"1001"}' : undefined });
  return { status: r.status, body: await r.text() };
}, [api + path, method, token]);

try {
  await page.goto(site.origin);
  let phone;
  await step('the page learns what it is', async () => {
    const r = await ask('/v1/session');
    phone = JSON.parse(r.body).phone;
    if (r.status !== 200 || phone.password !== token) throw new Error(`${r.status} ${r.body}`);
    return phone.uri;
  });
  await step('registers by the token', async () => {
    await client('start', { ws: api.replace('http', 'ws') + phone.ws, user: phone.user, password: phone.password, domain: 'localhost' });
    return happened('the registration', /^registered$/);
  });
  await step('calls a script and hears its tone', async () => {
    await client('call', '9100', 1000);
    await happened('the answer', /^confirmed$/);
    return until('a tone of 440 Hz', async () => {
      const h = await client('hear');
      return h.rms > 0.02 && Math.abs(h.hertz - 440) < 25 && `${Math.round(h.hertz)} Hz`;
    });
  });
  await step('sees its call, and may make none by /v1', async () => {
    const seen = JSON.parse((await ask('/v1/calls')).body).live;
    const made = await ask('/v1/calls', 'POST');
    if (seen.length !== 1 || seen[0].from !== '1001' || made.status !== 403) throw new Error(`${JSON.stringify(seen)}; ${made.status} ${made.body}`);
    return `${seen[0].state}, ${made.status}`;
  });
  await step('hangs up', async () => {
    await client('hangup');
    return happened('the end', /^ended by local/);
  });
  await step('revoked, it can neither ask nor call', async () => {
    const all = await (await fetch(`${api}/v1/tokens`, { headers: basic })).json();
    const one = all.find((t) => t.name === 'shop');
    const gone = await fetch(`${api}/v1/tokens/${one.id}`, { method: 'DELETE', headers: basic });
    const asked = await ask('/v1/calls');
    await client('call', '9100', 1000);
    const said = await happened('the refusal', /^failed by/);
    if (gone.status !== 204 || asked.status !== 401) throw new Error(`${gone.status}, ${asked.status}`);
    return `${asked.status}, ${said}`;
  });
} finally {
  await browser.close();
  site.close();
}
finish();
