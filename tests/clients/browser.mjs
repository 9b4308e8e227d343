// A Chromium that is told what to do line by line: each line of stdin is a call of one of the functions below with its
// arguments, as JSON; each line of stdout is what came of it.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { launch } from './chromium.mjs';

const PATIENCE = 20_000;
const GLANCE = 25;
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const LEVELS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];

const browser = await launch();
let context;
let page;
let complaints = [];
let held;

// Playwright's own waiting looks only every half second after a while.
async function until(locator, isThere = true) {
  const end = Date.now() + PATIENCE;
  while ((await locator.count()) > 0 !== isThere) {
    if (Date.now() > end) throw new Error(`${isThere ? 'never' : 'always'} there: ${locator}`);
    await new Promise((resolve) => setTimeout(resolve, GLANCE));
  }
}

const calls = {
  /** A window of its own, with nothing kept from before. */
  async open(url, options = {}) {
    await calls.close();
    context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
    context.setDefaultTimeout(PATIENCE);
    complaints = [];
    await calls.window(url);
  },
  async close() {
    await context?.close();
    context = undefined;
  },
  /** One more window of the same browser, in front of the others. */
  async window(url) {
    page = await context.newPage();
    page.on('pageerror', (error) => complaints.push(String(error)));
    page.on('console', (message) => {
      // That the server was away is a part of some tests.
      const expected = /Failed to (load resource|fetch)|network error|net::ERR/.test(message.text());
      if (['error', 'warning'].includes(message.type()) && !expected) complaints.push(message.text());
    });
    await page.goto(url);
  },
  /** The window that was opened first, second and so on, counted from 0. */
  front: async (place) => void (page = context.pages()[place]),
  /** What scripts complained of, the policy of the page included. */
  complaints: async () => complaints,
  url: async () => page.url(),
  click: async (selector) => page.click(selector),
  fill: async (selector, text) => page.fill(selector, text),
  choose: async (selector, value) => void (await page.selectOption(selector, value)),
  press: async (key) => page.keyboard.press(key),
  text: async (selector) => page.innerText(selector),
  texts: async (selector) => page.locator(selector).allInnerTexts(),
  evaluate: async (source) => page.evaluate(source),
  /** Wait until what is shown there holds a text. */
  shows: async (selector, text) => until(page.locator(selector).filter({ hasText: text, visible: true })),
  /** Wait until it says that, and nothing else. */
  says: async (selector, text) => until(page.locator(`${selector}:text-is(${JSON.stringify(text)})`)),
  gone: async (selector) => until(page.locator(selector).filter({ visible: true }), false),
  present: async (selector) => until(page.locator(selector)),
  /** Wait until there is another text than now. */
  async changes(selector) {
    const before = await page.textContent(selector);
    await page.waitForFunction(([of, was]) => document.querySelector(of).textContent !== was, [selector, before]);
  },
  emulate: async (options) => page.emulateMedia(options),
  size: async (width, height) => page.setViewportSize({ width, height }),
  picture: async (path, options = {}) => void (await page.screenshot({ path, ...options })),
  /** The server gets the next mutation, and its answer is lost on the way back. */
  async lose() {
    let isLost = false;
    await page.route('**/graphql', async (route) => {
      if (isLost || !route.request().postData()?.includes('mutation')) return route.continue();
      isLost = true;
      await route.fetch();
      return route.abort();
    });
  },
  /** The server gets requests with this text. Their answers wait for `release`. */
  async hold(text) {
    const mine = (held = { isOver: false });
    mine.arrived = new Promise((resolve) => (mine.arrive = resolve));
    mine.released = new Promise((resolve) => (mine.release = resolve));
    await page.route('**/graphql', async (route) => {
      if (mine.isOver || !route.request().postData()?.includes(text)) return route.fallback();
      const response = await route.fetch();
      mine.arrive();
      const isLost = await mine.released;
      // The page may have given the request up.
      await (isLost ? route.abort() : route.fulfill({ response })).catch(() => {});
    });
  },
  /** Wait until an answer is held back. */
  async held() {
    const late = new Promise((_, reject) => setTimeout(() => reject(new Error('No answer is held back.')), PATIENCE).unref());
    await Promise.race([held.arrived, late]);
  },
  /** Pass on the answers that are held back, or lose them. */
  async release(isLost = false) {
    held.isOver = true;
    held.release(isLost);
  },
  /** Click, and return the name and the text of the file that is saved. */
  async download(selector) {
    const [file] = await Promise.all([page.waitForEvent('download'), page.click(selector)]);
    return { name: file.suggestedFilename(), text: readFileSync(await file.path(), 'utf8') };
  },
  /** The pictures that cannot be loaded. */
  broken: async () =>
    page.$$eval('img', async (images) => {
      const loads = await Promise.all(images.map((image) => image.decode().then(() => true, () => false)));
      return images.filter((_, place) => !loads[place]).map((image) => image.src);
    }),
  /** What stands in the way of people, by the rules of levels A and AA. */
  async barriers() {
    await page.evaluate(AXE);
    return page.evaluate(async (levels) => {
      const { violations } = await axe.run(document, { runOnly: { type: 'tag', values: levels } });
      return violations.flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => ({ id, html, failureSummary })));
    }, LEVELS);
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const [name, ...given] = JSON.parse(line);
  const answer = await calls[name](...given).then(
    (result) => ({ result: result ?? null }),
    (error) => ({ error: error.message }),
  );
  console.log(JSON.stringify(answer));
}
await browser.close();
