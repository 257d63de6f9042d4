// Every screen of the console, made by calls that are really made, against
// `ozswitch dev`:
//   node screens.mjs --link http://127.0.0.1:9509/?login=… --folder DIR [--mic FILE] [--picture FILE]
import { mkdirSync, statSync } from 'node:fs';
import { launch, until, step, finish, argument } from './lib.mjs';
import { calm, look, over, tabs, tabTo, watched } from './look.mjs';

const link = argument('link');
const { origin } = new URL(link);
const folder = argument('folder');
mkdirSync(folder, { recursive: true });
const browser = await launch({ mic: argument('mic') });

// Before somebody is signed in, the question who it is says 401.
const before = (said, url) => /status of 401/.test(said) && url.endsWith('/v1/session');
// A call that never was answered has no sound: the page asks and is told so.
const silent = (said, url) => /status of 404/.test(said) && /\/(peaks|documents)\b/.test(url);

const shown = (page, css) => page.locator(css).first().waitFor();
const script = (page, text) => page.evaluate(async (t) => {
  const old = await (await fetch('/v1/scripts/hello.xml')).json();
  const r = await fetch('/v1/scripts/hello.xml', {
    method: 'PUT', headers: { 'Content-Type': 'application/json', 'X-Ozswitch': '1', 'If-Match': old.etag }, body: JSON.stringify({ text: t ?? old.text }),
  });
  if (!r.ok) throw new Error(await r.text());
  return old.text;
}, text);
const shoot = (page, wrongs, name, options) => step(`screen ${name}`, async () => {
  const said = await look(page, folder, name, options);
  calm(wrongs);
  return said;
}).catch(() => {}); // counted; the other screens are looked at as well
// The mouse shows its moment in every pane: out of the way with it.
const aside = (page) => page.mouse.move(45, 500);
const call = async (page) => {
  await page.goto(origin + '/');
  await shown(page, '.phone-dot.ready');
  await page.locator('aside.dock .phone-call').click();
  await page.waitForURL(/\/calls\//);
};

try {
  const guest = await watched(browser, origin, { allowed: before });
  await guest.page.goto(origin + '/');
  await shown(guest.page, '.login form');
  await shoot(guest.page, guest.wrongs, 'login', { small: true });
  await guest.page.context().close();

  const { page, wrongs } = await watched(browser, origin, { allowed: silent });
  await step('the link signs in', async () => {
    await page.goto(link);
    await shown(page, '.phone-dot.ready');
    await shown(page, '.empty');
  });
  await shoot(page, wrongs, 'calls-empty', { small: true });
  await step('Tab order of the empty list', () => tabs(page));

  await step('Call 9000', async () => {
    await page.locator('main .button.primary').click();
    await page.waitForURL(/\/calls\//);
    await aside(page);
    await until('a lit line', () => page.locator('.line.lit').count());
    await until('the voice in the wave', () => page.locator('.track canvas, .track svg, .sound').count());
  });
  await step('key 1 leads to the recording', async () => {
    await page.keyboard.press('1');
    await until('the recording', () => page.getByText('recording began').count());
  });
  await shoot(page, wrongs, 'call-live', { small: true });
  await step('Tab order of a call', () => tabs(page));
  await step('the dock with its keys', async () => {
    await page.evaluate(() => document.activeElement?.blur());
    await page.getByRole('link', { name: 'Scripts' }).click();
    await page.getByRole('button', { name: 'keypad' }).click();
    await shown(page, '.dock .phone-pad');
  });
  await shoot(page, wrongs, 'dock-in-call', { small: true });
  await step('the phone in a call', async () => {
    await page.getByRole('link', { name: 'Phone' }).click();
    await shown(page, '.phone-big .phone-talk.talking');
  });
  await shoot(page, wrongs, 'phone-in-call', { small: true });
  await step('# ends the recording, and the script the call', async () => {
    await page.keyboard.press('#');
    await until('the end', () => page.locator('.phone-talk.ended').count());
    await page.locator('.phone-talk.ended a').click();
    await over(page);
    await until('the recording in the list', () => page.locator('.recording audio').count());
  });
  await step('a click on the wave puts the cursor there', async () => {
    const box = await page.locator('.lanes').boundingBox();
    await page.mouse.click(box.x + box.width * 0.3, box.y + 30);
    await until('a lit line', () => page.locator('.line.lit').count());
    await aside(page);
  });
  if (argument('picture')) {
    await step('the picture of the README', async () => {
      await page.evaluate(() => document.activeElement?.blur());
      await page.getByRole('button', { name: 'fold the phone' }).click();
      await page.screenshot({ path: argument('picture'), caret: 'initial' });
      await page.getByRole('button', { name: 'open the phone' }).click();
      const { size } = statSync(argument('picture'));
      if (size >= 200_000) throw new Error(`${size} bytes`);
      return `${size} bytes`;
    });
  }
  await shoot(page, wrongs, 'call-afterwards', { small: true });

  await step('a script with a fault', async () => {
    const good = await script(page, '<Response>\n  <Speak>Hello</Speak>\n  <Speak>Hello again</Speek>\n</Response>\n');
    await call(page);
    await over(page);
    await shown(page, 'main .trouble');
    await script(page, good);
  });
  await shoot(page, wrongs, 'call-fault', { small: true });

  await step('a call that is up above those that are over', async () => {
    await call(page);
    await until('a lit line', () => page.locator('.line.lit').count());
    await page.locator('nav.rail a').nth(1).click();
    await until('one up', () => page.locator('.call-row.live').count());
    await until('two over', async () => await page.locator('section:not([aria-label="Live calls"]) > .call-row').count() === 2);
  });
  await shoot(page, wrongs, 'calls', { small: true });
  await step('Tab order of the list', () => tabs(page));
  await step('the keys', async () => {
    await page.evaluate(() => document.activeElement?.blur());
    await page.keyboard.press('?');
    await shown(page, 'dialog[open] .keys');
  });
  await shoot(page, wrongs, 'keys', { small: true });
  await step('Esc closes them; the page hangs up', async () => {
    await page.keyboard.press('Escape');
    await page.locator('.call-row.live').click();
    await page.locator('.call-head .button.danger').click();
    await over(page);
    await until('how it ended', () => page.locator('.facts').getByText('hung up from the console').count());
  });

  await step('the scripts', async () => {
    await page.getByRole('link', { name: 'Scripts' }).click();
    await until('hello.xml', () => page.getByRole('link', { name: 'hello.xml' }).count());
  });
  await shoot(page, wrongs, 'scripts', { small: true });
  await step('Tab order of the scripts', () => tabs(page));
  await step('the editor marks what is wrong', async () => {
    await page.getByRole('link', { name: 'hello.xml' }).first().click();
    await shown(page, '.cm-content');
    await page.locator('.cm-line').nth(2).click();
    await page.keyboard.press('End');
    await page.keyboard.type('\n<Spaek>Hello');
    await until('the problem', () => page.locator('.problems .error').count());
  });
  await shoot(page, wrongs, 'editor', { small: true });
  await step('runs on paper', async () => {
    await page.getByRole('button', { name: /^fix/ }).first().click();
    await until('no error', async () => await page.locator('.problems .error').count() === 0);
    await page.keyboard.press('Control+Enter');
    await until('the transcript', () => page.locator('.script-side pre, .transcript').count());
  });
  await shoot(page, wrongs, 'editor-run');

  await step('use my own app', async () => {
    await page.goto(origin + '/scripts');
    await page.getByRole('link', { name: /own app/ }).first().click();
    await shown(page, '[role=tab]');
  });
  await shoot(page, wrongs, 'own-app', { small: true });
  await step('Tab order of the app', () => tabs(page));

  await step('the phone', async () => {
    await page.getByRole('link', { name: 'Phone' }).click();
    await shown(page, '.phone-big .phone-dot.ready');
    await until('the last calls', () => page.locator('.phone-last li').count());
  });
  await shoot(page, wrongs, 'phone', { small: true });
  await step('Tab order of the phone', () => tabs(page));

  await step('the numbers', async () => {
    await page.keyboard.press('n');
    await shown(page, 'table[aria-label=Telephones]');
  });
  await shoot(page, wrongs, 'numbers', { small: true });
  await step('by keys alone, from the link on: call, press 1, hang up', async () => {
    await page.goto(origin + '/');
    await shown(page, '.phone-dot.ready');
    await tabTo(page, /^Call 9000$/);
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/calls\//);
    await until('a lit line', () => page.locator('.line.lit').count());
    await page.keyboard.press('1');
    await until('the key', () => page.getByText('key 1', { exact: true }).count());
    await tabTo(page, /^Hang up$/);
    await page.keyboard.press('Enter');
    await over(page);
    calm(wrongs);
  });
} catch {
  const open = browser.contexts().flatMap((c) => c.pages());
  for (const [i, p] of open.entries()) await p.screenshot({ path: `${folder}/failed-${i}.png` }).catch(() => {});
} finally {
  await browser.close();
}
finish();
