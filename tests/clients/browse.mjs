// A person at a page, in a real Chromium: does what each line of standard input says, as JSON, and answers with a line.
//   {"open": url}  {"fill": [selector, text]}  {"click": selector}  {"text": selector}  {"until": [selector, text]}
//   {"changes": selector}: waits until there is another text than now  {"broken": null}: the pictures that cannot be loaded
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
  changes: (selector) =>
    page.textContent(selector).then((before) =>
      page.waitForFunction(([of, was]) => document.querySelector(of).textContent !== was, [selector, before]).then(() => null),
    ),
  broken: () =>
    page
      .$$eval('img', (all) => Promise.all(all.map((one) => one.decode().then(() => null, () => one.src))))
      .then((all) => all.filter((one) => one !== null)),
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
