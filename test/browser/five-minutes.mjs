// The first five minutes (ux.md 3), step by step, as a user does them:
//   node five-minutes.mjs --program bin/ozswitch --data DIR --offset N --mic tone.wav --calls DIR
// Times are measured and printed; none of them decides.
import { execFileSync, spawn } from 'node:child_process';
import { readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { launch, bundle, until, step, finish, argument } from './lib.mjs';

const program = argument('program');
const data = argument('data');
const offset = Number(argument('offset'));
const children = [];

function start(command, arg, options) {
  const p = spawn(command, arg, { stdio: ['ignore', 'pipe', 'inherit'], ...options });
  children.push(p);
  return p;
}

// dev starts the switch and gives what it printed until it was ready.
async function dev() {
  const begun = performance.now();
  const p = start(program, ['dev', '--port-offset', String(offset), '--data', data]);
  const lines = [];
  for await (const line of createInterface({ input: p.stdout })) {
    lines.push(line);
    if (line.includes('Call it:')) break;
  }
  p.stdout.resume();
  return { text: lines.join('\n'), ms: Math.round(performance.now() - begun) };
}

const browser = await launch({ mic: argument('mic') });
const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, permissions: ['microphone', 'clipboard-read', 'clipboard-write'] });
const page = await context.newPage();
const trouble = [];
page.on('pageerror', (e) => trouble.push(String(e)));
page.on('console', (m) => m.type() === 'error' && trouble.push(`${page.url()} ${m.location().url}:${m.location().lineNumber}:${m.location().columnNumber} ${m.text()}`));
page.on('request', (r) => new URL(r.url()).hostname === '127.0.0.1' || /^(data|blob):/.test(r.url()) || trouble.push('an outside address: ' + r.url()));

// What arrives at the browser is measured by an ear on its connection; when a
// line lights up is noted as it happens.
await context.addInitScript(await bundle('ear-global.js'));
const ear = () => page.evaluate(() => window.ozEar.now());
const voice = () => until('a voice', async () => (await ear()).rms > 0.01);
const button = (name) => page.getByRole('button', { name, exact: true });
const happened = page.getByRole('region', { name: 'What happened' });
const lit = (line) => page.locator(`.source .line.lit[data-line="${line}"]`);

const wrong = '<Response>\n  <Speak>Hello, it is me.</Speak>\n  <Spaek>And this is wrong.</Spaek>\n</Response>\n';

let said;
try {
  await step('0:00 ozswitch dev', async () => {
    said = await dev();
    for (const want of ['Console', 'HTTP API', 'SIP', 'Voice', '9000', 'Call it:']) if (!said.text.includes(want)) throw new Error(`${want} is not in:\n${said.text}`);
    return `ready ${said.ms} ms after its start`;
  });
  const link = said.text.match(/http:\S+\?login=\S+/)[0];
  const origin = new URL(link).origin;
  const [, user, password] = said.text.match(/user (\S+), password (\S+)/);

  await step('0:10 the link signs in: an empty page, a phone with a green dot', async () => {
    await page.goto(link);
    await button('Call 9000').first().waitFor();
    await page.getByText(/1001 ready/).waitFor();
    const paint = await page.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime);
    if (page.url().includes('login=')) throw new Error('the token stays in the address');
    return `first paint ${Math.round(paint)} ms`;
  });

  await step('0:20 presses Call 9000: hears the voice, sees its line lit', async () => {
    await page.evaluate(() => window.ozEar.mark());
    await button('Call 9000').first().click();
    await voice();
    const heard = await page.evaluate(() => window.ozEar.since());
    await page.waitForURL(/\/calls\/\w+/);
    await lit(4).waitFor();
    if (!/Speak/.test(await lit(4).innerText())) throw new Error('the lit line is no Speak');
    return `voice ${Math.round(heard)} ms after the click`;
  });
  const call = page.url();

  await step('0:35 presses 1 on the keyboard: the branch is taken', async () => {
    const begun = performance.now();
    await page.keyboard.press('1');
    await lit(8).waitFor();
    const ms = Math.round(performance.now() - begun);
    await page.locator('.source .key-chip', { hasText: '1' }).first().waitFor();
    return `key to reaction ${ms} ms`;
  });

  await step('0:45 speaks, presses #: the recording ends, the call with it', async () => {
    await happened.getByText(/recording/i).first().waitFor({ timeout: 60_000 });
    await new Promise((r) => setTimeout(r, 2500)); // what is said
    await page.keyboard.press('#');
    await page.locator('.state[data-state=over]').waitFor({ timeout: 60_000 });
    await page.getByRole('region', { name: 'Recordings' }).getByText(/\.wav/).waitFor();
    return (await page.getByRole('region', { name: 'Recordings' }).innerText()).replace(/\s+/g, ' ');
  });

  await step('1:00 clicks the waveform: hears both sides, the line that ran there lights', async () => {
    const wave = page.locator('.wave canvas, .wave [part], .wave').first();
    const box = await wave.boundingBox();
    await page.mouse.click(box.x + box.width * 0.2, box.y + box.height / 2);
    await page.locator('.source .line.lit').waitFor();
    const line = await page.locator('.source .line.lit').getAttribute('data-line');
    await page.keyboard.press(' ');
    await until('the recording plays', () => page.evaluate(() => window.ozEar.playing()));
    await page.keyboard.press(' ');
    return 'line ' + line;
  });

  await step('1:20 edits: <Spaek> is marked in its place, with a Fix', async () => {
    await page.goto(origin + '/scripts/hello.xml');
    const editor = page.locator('.cm-content');
    await editor.waitFor();
    await editor.click();
    await page.keyboard.press('Control+A');
    await page.evaluate((text) => navigator.clipboard.writeText(text), wrong);
    await page.keyboard.press('Control+V');
    const problem = page.getByRole('region', { name: 'Problems' }).getByText(/OZ1101/);
    const begun = performance.now();
    await problem.waitFor();
    const ms = Math.round(performance.now() - begun);
    const text = await page.getByRole('region', { name: 'Problems' }).innerText();
    if (!/3:4/.test(text) || !/unknown command <Spaek>; did you mean <Speak>\?/.test(text.replace(/\s+/g, ' '))) throw new Error(text);
    await page.locator('.cm-lintRange-error').first().waitFor();
    const file = join(data, 'wrong.xml');
    writeFileSync(file, wrong);
    let vet = '';
    try { execFileSync(program, ['vet', file]); } catch (e) { vet = String(e.stdout); }
    if (!vet.includes(':3:4: error OZ1101: unknown command <Spaek>; did you mean <Speak>?')) throw new Error('vet says: ' + vet);
    return `told ${ms} ms after the last key; vet says the same`;
  });

  await step('1:40 Fix, then Run: a transcript in no time', async () => {
    await page.getByRole('button', { name: /^fix OZ1101/ }).click();
    await page.getByRole('region', { name: 'Problems' }).getByText(/OZ1101/).waitFor({ state: 'detached' });
    await page.keyboard.press('Control+S');
    await page.getByText('saved', { exact: true }).first().waitFor();
    await page.getByRole('button', { name: 'Run', exact: true }).first().click();
    const transcript = page.getByLabel('Transcript');
    await transcript.waitFor();
    const text = await transcript.innerText();
    if (!text.includes('2:3  Speak "Hello, it is me."') || !text.includes('3:3  Speak "And this is wrong."')) throw new Error(text);
    return (await page.getByRole('region', { name: 'Run on paper' }).getByRole('status').first().innerText());
  });

  const port = Number(argument('app-port'));
  await step('2:00 Use my own app: five languages; Fetch it now says that nobody is there', async () => {
    await page.goto(origin + '/scripts?app');
    for (const l of ['PHP', 'Python', 'Node', 'C#', 'Go']) await page.getByRole('tab', { name: l, exact: true }).waitFor();
    await page.getByRole('tab', { name: 'PHP', exact: true }).click();
    const sample = await page.getByLabel('ivr.php').innerText();
    writeFileSync(join(data, 'ivr.php'), sample);
    await page.getByLabel('URL of your app').fill(`http://127.0.0.1:${port}/ivr.php`);
    await button('Fetch it now').click();
    const answer = page.locator('.answer');
    await answer.waitFor();
    return (await answer.innerText()).replace(/\s+/g, ' ');
  });

  await step('3:00 php -S, Fetch it now, Use it: 9000 runs the app', async () => {
    start('php', ['-S', `127.0.0.1:${port}`, '-t', data], { stdio: 'ignore' });
    const answer = page.locator('.answer');
    await until('the app answers', async () => {
      await button('Fetch it now').click();
      await button('Fetch it now').isEnabled();
      return (await answer.innerText().catch(() => '')).includes('200');
    });
    const fetched = (await answer.innerText()).split('\n')[0];
    await button('Use it for 9000').click();
    await page.getByRole('region', { name: 'Try it' }).getByRole('button', { name: 'Call 9000' }).click();
    await page.waitForURL(/\/calls\/\w+/);
    await page.locator('.source .line.lit', { hasText: 'Speak' }).waitFor({ timeout: 60_000 });
    await voice();
    await page.getByRole('region', { name: 'SIP and HTTP' }).getByText(/200/).first().waitFor({ state: 'attached' });
    await page.keyboard.press('1');
    await page.locator('.state[data-state=over]').waitFor({ timeout: 60_000 });
    return fetched;
  });

  await step('3:30 a PHP warning before the XML is told as such', async () => {
    const good = readFileSync(join(data, 'ivr.php'), 'utf8');
    writeFileSync(join(data, 'ivr.php'), good.replace('<?php', '<?php ini_set("display_errors", "1"); ini_set("html_errors", "0");').replace('Hello $name.', 'Hello $name $nobody.'));
    await page.goto(origin + '/scripts?app');
    await page.getByLabel('URL of your app').fill(`http://127.0.0.1:${port}/ivr.php`);
    await button('Fetch it now').click();
    const answer = page.locator('.answer');
    await answer.waitFor();
    const text = (await answer.innerText()).replace(/\s+/g, ' ');
    if (!/PHP/.test(text) || !/\$nobody/.test(text) || !/ivr\.php/.test(text)) throw new Error(text);
    writeFileSync(join(data, 'ivr.php'), good);
    return text.slice(0, 240);
  });

  await step('4:00 ozswitch top shows the same calls', async () => {
    await page.goto(call);
    await page.getByText(/1001 ready/).waitFor();
    const out = execFileSync(program, ['top', '--once', '--server', origin, '--user', user, '--password', password]).toString();
    return out.split('\n')[0];
  });

  await step('4:30 /api?command=Call: the browser rings; it answers and hears', async () => {
    const ozml = encodeURIComponent('<Response><Speak>This call was made by curl.</Speak></Response>');
    const asked = execFileSync('curl', ['-s', `${origin}/api?command=Call&Dialed=1001&ResponseOzML=${ozml}&Username=${user}&Password=${password}`], { encoding: 'utf8' });
    if (!asked.includes('<Code>200</Code>')) throw new Error(asked);
    await button('Answer').click();
    await voice();
    await until('it ends', async () => !(await button('Hang up').first().isVisible().catch(() => false)));
  });

  await step('5:00 ozswitch test', async () => {
    const out = execFileSync(program, ['test', argument('calls')]).toString().trim();
    if (!/\d+ passed/.test(out)) throw new Error(out);
    return out.split('\n').pop();
  });

  await step('the recording of the browser holds what was said', async () => {
    const walk = (d) => readdirSync(d).flatMap((n) => (statSync(join(d, n)).isDirectory() ? walk(join(d, n)) : [join(d, n)]));
    const wavs = walk(join(data, 'recordings')).filter((f) => f.endsWith('.wav'));
    if (wavs.length !== 1) throw new Error(wavs.join(' ') || 'no recording');
    console.log('recording ' + wavs[0]);
  });

  await step('no error and no outside address on any page', () => {
    if (trouble.length) throw new Error(trouble.join('\n'));
  });
} catch (e) {
  console.log('      at ' + page.url() + '; a picture lies at ' + join(data, 'failed.png'));
  console.log('      ' + trouble.join(' | '));
  await page.screenshot({ path: join(data, 'failed.png') }).catch(() => {});
} finally {
  await browser.close();
  for (const p of children) p.kill('SIGTERM');
}
finish();
