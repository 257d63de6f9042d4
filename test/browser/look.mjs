// What the tests of the console's pages share: a page that is watched for what
// must never happen, a look at a screen in both themes and at 360 px, and walks
// by the keyboard.
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { text, until } from './lib.mjs';

const axe = text(createRequire(import.meta.url).resolve('axe-core/axe.min.js'));
export const wide = { width: 1280, height: 800 };
export const narrow = { width: 360, height: 740 };
const caret = 'initial'; // to hide it, Playwright adds a style that the page's policy refuses

// watched opens a page of the console at origin and gives it with `wrongs`: what
// no page may do. allowed(text, url) tells which lines of the browser's console
// belong to what the test does, such as the 401 before anybody is signed in.
export async function watched(browser, origin, { allowed = () => false, ...options } = {}) {
  const context = await browser.newContext({ viewport: wide, locale: 'en-GB', ...options });
  await context.grantPermissions(['microphone', 'clipboard-read', 'clipboard-write'], { origin });
  const wrongs = [];
  const { host } = new URL(origin);
  const outside = (url) => {
    const u = new URL(url);
    if (!['data:', 'blob:'].includes(u.protocol) && u.host !== host) wrongs.push(`asked an outside address: ${url}`);
  };
  await context.exposeBinding('refusedByPolicy', (_, what) => wrongs.push(`against the page's policy: ${what}`));
  await context.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (e) => {
      window.refusedByPolicy(`${e.violatedDirective} ${e.blockedURI} ${e.sourceFile}:${e.lineNumber}`);
    });
  });
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  page.on('request', (r) => outside(r.url()));
  page.on('websocket', (w) => outside(w.url()));
  page.on('pageerror', (e) => wrongs.push(`threw: ${e.stack || e}`));
  page.on('console', (m) => {
    const at = m.location().url;
    if (['error', 'assert'].includes(m.type()) && !allowed(m.text(), at)) wrongs.push(`console: ${m.text()} (${at})`);
  });
  page.on('dialog', (d) => d.accept().catch(() => {})); // leave without saving
  return { page, wrongs };
}

// calm fails when the page did what it must not.
export function calm(wrongs) {
  if (wrongs.length) throw new Error([...new Set(wrongs.splice(0))].join('\n'));
}

// accessible runs axe-core and fails with what it finds serious or critical. It
// is not to read the styles: it would copy them in a way that the policy refuses.
export async function accessible(page) {
  if (!await page.evaluate(() => Boolean(window.axe))) await page.evaluate(axe);
  const found = await page.evaluate(async () => {
    const r = await window.axe.run(document, { resultTypes: ['violations'], preload: false });
    return r.violations.map((v) => ({ id: v.id, impact: v.impact, help: v.help, nodes: v.nodes.map((n) => `${n.target.join(' ')}: ${n.failureSummary}`) }));
  });
  const bad = found.filter((v) => v.impact === 'serious' || v.impact === 'critical');
  if (bad.length) throw new Error(bad.map((v) => `axe ${v.impact} ${v.id}: ${v.help}\n  ${v.nodes.slice(0, 4).join('\n  ').replaceAll('\n', '\n  ')}`).join('\n'));
  return found.map((v) => v.id);
}

// fits fails when the page scrolls sideways, and names what sticks out.
export async function fits(page) {
  const out = await page.evaluate(() => {
    const room = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth <= room) return null;
    return [...document.querySelectorAll('body *')].filter((e) => e.getBoundingClientRect().right > room + 1)
      .slice(0, 5).map((e) => `${e.tagName}.${e.className?.baseVal ?? e.className} to ${Math.round(e.getBoundingClientRect().right)} of ${room}`);
  });
  if (out) throw new Error(`scrolls sideways: ${out.join('; ')}`);
}

// settled waits until nothing moves any more but what moves for ever, and until
// what measures itself after a change of size has drawn itself anew.
const settled = (page) => page.evaluate(async () => {
  await Promise.all(document.getAnimations().filter((a) => a.effect?.getTiming().iterations !== Infinity).map((a) => a.finished.catch(() => {})));
  for (let i = 0; i < 4; i++) await new Promise((drawn) => requestAnimationFrame(drawn));
});

// look takes a screen's pictures, one a theme, and looks at it with axe-core in
// each, and at 360 px; with small a picture is taken there as well.
export async function look(page, folder, name, { small = false } = {}) {
  const wrong = [];
  const minor = new Set();
  const trying = async (where, f) => {
    try {
      await f();
    } catch (e) {
      wrong.push(`${name}, ${where}: ${e.message}`);
    }
  };
  for (const theme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme: theme });
    await settled(page);
    await page.screenshot({ path: join(folder, `${name}-${theme}.png`), caret });
    await trying(theme, async () => { for (const id of await accessible(page)) minor.add(id); });
    await trying(theme, () => fits(page));
    await page.setViewportSize(narrow);
    await settled(page);
    await trying(`${theme} at 360 px`, () => fits(page));
    if (small) {
      await page.screenshot({ path: join(folder, `${name}-360-${theme}.png`), caret });
      await trying(`${theme} at 360 px`, () => accessible(page));
    }
    await page.setViewportSize(wide);
  }
  await page.emulateMedia({ colorScheme: 'light' });
  await settled(page);
  if (wrong.length) throw new Error(wrong.join('\n'));
  return minor.size ? `minor: ${[...minor].join(', ')}` : '';
}

// focused tells what has the keyboard's focus, and whether that is to be seen.
export const focused = (page) => page.evaluate(() => {
  const e = document.activeElement;
  if (!e || e === document.body) return null;
  const visible = (of) => {
    const s = getComputedStyle(of);
    return s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) > 0 || s.boxShadow !== 'none' || s.stroke !== 'none';
  };
  const r = e.getBoundingClientRect();
  return {
    name: (e.getAttribute('aria-label') || e.textContent || e.id || e.tagName).trim().slice(0, 40),
    tag: e.tagName.toLowerCase(),
    seen: visible(e) || [...e.querySelectorAll('*')].some(visible) || Boolean(e.closest('.cm-focused')),
    onScreen: r.width > 0 && r.height > 0 && r.bottom > 0 && r.top < innerHeight,
    order: [...document.querySelectorAll('*')].indexOf(e),
    tabindex: e.tabIndex,
  };
});

// tabs walks a page by Tab from its beginning to its end: each stop is seen, on
// the screen, after the one before, and only once.
export async function tabs(page) {
  await page.evaluate(() => { document.activeElement?.blur(); window.scrollTo(0, 0); getSelection()?.removeAllRanges(); });
  const stops = [];
  for (;;) {
    await page.keyboard.press('Tab');
    const f = await focused(page);
    if (!f || f.order === stops[0]?.order) break;
    if (stops.length > 300 || stops.at(-1)?.order === f.order) throw new Error(`Tab does not get on from ${f.tag} ${f.name}`);
    if (!f.seen) throw new Error(`the focus is not to be seen on ${f.tag} ${f.name}`);
    if (!f.onScreen) throw new Error(`the focus is outside the screen on ${f.tag} ${f.name}`);
    if (f.tabindex > 0) throw new Error(`tabindex ${f.tabindex} on ${f.name}`);
    if (stops.length && f.order < stops.at(-1).order) throw new Error(`Tab goes back from ${stops.at(-1).name} to ${f.name}`);
    stops.push(f);
  }
  if (stops.length < 5) throw new Error(`Tab found but ${stops.map((s) => s.name).join(', ')}`);
  return `${stops.length} stops`;
}

// tabTo presses Tab until a thing of that name has the focus.
export async function tabTo(page, name) {
  for (let i = 0; i < 150; i++) {
    await page.keyboard.press('Tab');
    const f = await focused(page);
    if (f && name.test(f.name)) return f.name;
  }
  throw new Error(`Tab never came to ${name}`);
}

// over waits for the end of the call on the page.
export const over = (page) => until('the end of the call', () => page.locator('.state[data-state=over]').count());
