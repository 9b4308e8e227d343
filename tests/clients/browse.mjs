// A person at a page, in a real Chromium: does what each line of standard input says, as JSON, and answers with a line.
//   {"open": url}  {"fill": [selector, text]}  {"click": selector}  {"text": selector}  {"until": [selector, text]}
//   {"broken": null}: the pictures that did not load
import { createInterface } from 'node:readline';
import { chromium } from 'playwright-core';

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync'],
});
const page = await browser.newPage();
page.setDefaultTimeout(15_000);
const wrong = [];
page.on('pageerror', (error) => wrong.push(String(error)));

const ACTS = {
  open: (url) => page.goto(url, { waitUntil: 'load' }).then(() => null),
  fill: ([selector, text]) => page.fill(selector, text).then(() => null),
  click: (selector) => page.click(selector).then(() => null),
  text: (selector) => page.textContent(selector),
  until: ([selector, text]) =>
    page
      .waitForFunction(([of, wanted]) => document.querySelector(of)?.textContent === wanted, [selector, text])
      .then(() => text),
  broken: () => page.$$eval('img', (all) => all.filter((one) => !one.complete || !one.naturalWidth).map((one) => one.src)),
};

for await (const line of createInterface({ input: process.stdin })) {
  const [[act, given]] = Object.entries(JSON.parse(line));
  const answer = await ACTS[act](given).then(
    (told) => ({ told }),
    (error) => ({ failed: String(error) }),
  );
  console.log(JSON.stringify({ ...answer, wrong }));
}
await browser.close();
