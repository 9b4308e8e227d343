// A page of another site, in a real Chromium, tries what it can: each case is a line of JSON with its name, what
// happened, and what should have. The server's shop must be the same afterwards; the caller looks.
import { createServer } from 'node:http';
import { launch } from './chromium.mjs';

const [url] = process.argv.slice(2);
const MUTATION =
  'mutation { placeOrder(input: { lines: [{ sku: "MUG", quantity: 1 }] }) { order { number } userErrors { code } } }';

const site = createServer((_, response) => {
  response.setHeader('content-type', 'text/html');
  response.end('<!doctype html><title>another site</title>');
}).listen(0, '127.0.0.1');
await new Promise((resolve) => site.on('listening', resolve));
// Another host than the server's: localhost is not 127.0.0.1.
const other = `http://localhost:${site.address().port}/`;

const CASES = {
  'a simple POST': [
    async ({ url, mutation }) => {
      for (const type of ['text/plain', 'application/x-www-form-urlencoded']) {
        const body = JSON.stringify({ query: mutation });
        await fetch(url, { method: 'POST', mode: 'no-cors', headers: { 'content-type': type }, body });
      }
      return 'sent';
    },
    'sent',
  ],
  'a POST of JSON, whose preflight fails': [
    async ({ url, mutation }) => {
      const options = { method: 'POST', headers: { 'content-type': 'application/json' } };
      return fetch(url, { ...options, body: JSON.stringify({ query: mutation }) }).then(
        (answer) => answer.status,
        () => 'not sent',
      );
    },
    'not sent',
  ],
  'a mutation by GET': [
    async ({ url, mutation }) => {
      await fetch(`${url}?query=${encodeURIComponent(mutation)}`, { mode: 'no-cors' });
      return 'sent';
    },
    'sent',
  ],
  'a query by GET cannot be read': [
    async ({ url }) =>
      fetch(`${url}?query={__typename}`).then(
        () => 'read',
        () => 'not read',
      ),
    'not read',
  ],
  'a form': [
    async ({ url, mutation }) => {
      for (const enctype of ['text/plain', 'multipart/form-data', 'application/x-www-form-urlencoded']) {
        const frame = Object.assign(document.createElement('iframe'), { name: enctype });
        document.body.append(frame);
        const form = Object.assign(document.createElement('form'), { action: url, method: 'post', enctype, target: enctype });
        const [name, value] = JSON.stringify({ query: mutation, x: '=' }).split('=');
        form.append(Object.assign(document.createElement('input'), { name, value }));
        form.append(Object.assign(document.createElement('input'), { name: 'query', value: mutation }));
        document.body.append(form);
        form.submit();
      }
      await new Promise((resolve) => setTimeout(resolve, 1000));
      return 'sent';
    },
    'sent',
  ],
  'a websocket': [
    async ({ url }) =>
      new Promise((resolve) => {
        const socket = new WebSocket(url.replace('http', 'ws'), 'graphql-transport-ws');
        socket.onopen = () => resolve('open');
        socket.onclose = (event) => resolve(event.code);
      }),
    1006,
  ],
};

const browser = await launch();
try {
  for (const [name, [run, wanted]] of Object.entries(CASES)) {
    const page = await browser.newPage();
    await page.goto(other);
    const got = await page.evaluate(run, { url, mutation: MUTATION }).catch((error) => `failed: ${error}`);
    console.log(JSON.stringify({ name, got, wanted }));
    await page.close();
  }
  // The server's own page may: else all of this would be green against a server that answers nothing.
  const page = await browser.newPage();
  await page.goto(url);
  const got = await page.evaluate(async (url) => {
    const options = { method: 'POST', headers: { 'content-type': 'application/json' } };
    const answer = await (await fetch(url, { ...options, body: '{"query":"{ __typename }"}' })).json();
    const opened = await new Promise((resolve) => {
      const socket = new WebSocket(url.replace('http', 'ws'), 'graphql-transport-ws');
      socket.onopen = () => resolve('open');
      socket.onclose = (event) => resolve(event.code);
    });
    return [answer, opened];
  }, url);
  console.log(JSON.stringify({ name: "the server's own page", got, wanted: [{ data: { __typename: 'Query' } }, 'open'] }));
} finally {
  await browser.close();
  site.close();
}
