// What is wrong with a call, as its page and the list tell it:
//   node faults.mjs --http http://127.0.0.1:9509 --cases FILE --folder DIR
// FILE is JSON: [{number, what, says: [texts], place: "line 3, column 4" or "", list: text}]
import { launch, until, step, finish, argument, text } from './lib.mjs';
import { calm, over, watched } from './look.mjs';

const origin = argument('http');
const cases = JSON.parse(text(argument('cases')));
const browser = await launch();
const silent = (said, url) => /status of 40[14]/.test(said) && /\/v1\/(session|calls\/[^/]+\/(peaks|documents))\b/.test(url);

try {
  const { page, wrongs } = await watched(browser, origin, { allowed: silent });
  await step('signs in by name and password', async () => {
    await page.goto(origin + '/');
    await page.getByLabel('Name').fill('ann');
    await page.getByLabel('Password').fill('orange-lantern');
    await page.keyboard.press('Enter');
    await page.locator('.phone-dot.ready').waitFor();
  });
  for (const c of cases) {
    await step(`${c.what}: the call's page`, async () => {
      await page.getByLabel('Number or name to call').fill(c.number);
      const before = page.url();
      await page.locator('aside.dock .phone-call').click();
      await page.waitForURL((u) => /\/calls\//.test(u) && u.href !== before);
      await over(page);
      const box = page.locator('main .trouble');
      await box.waitFor();
      const said = await until(`${c.says.join(', ')} on the page`, async () => {
        const t = (await box.innerText()).replace(/\s+/g, ' ');
        return c.says.every((s) => t.includes(s)) && (!c.place || t.includes(c.place)) && t;
      }, 10_000).catch(async (e) => { throw new Error(`${e.message}; it says: ${await box.innerText()}`); });
      calm(wrongs);
      return said;
    });
    await step(`${c.what}: the list`, async () => {
      await page.locator('nav.rail a').nth(1).click();
      const row = page.locator('.call-row', { hasText: c.number }).first();
      const said = await until(`${c.list} in the list`, async () => {
        const t = (await row.innerText()).replace(/\s+/g, ' ');
        return t.includes(c.list) && await row.locator('.bad').count() && t;
      }, 20_000).catch(async (e) => { throw new Error(`${e.message}; it says: ${await row.innerText()}`); });
      calm(wrongs);
      return said;
    });
  }
  await step('the filter finds the calls that went wrong', async () => {
    await page.getByLabel('result').selectOption('failed');
    await page.waitForURL(/result=failed/);
    return until('all of them, and no other', async () => await page.locator('.call-row').count() === cases.length && `${cases.length} calls`);
  });
  await page.context().close();
} catch {
  for (const [i, p] of browser.contexts().flatMap((c) => c.pages()).entries()) await p.screenshot({ path: `${argument('folder')}/faults-failed-${i}.png` }).catch(() => {});
} finally {
  await browser.close();
}
finish();
