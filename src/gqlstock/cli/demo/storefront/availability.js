// The availability of all products on a page: loaded once, then updated live.
//
// Copy this file into a storefront; it has no dependencies and needs no build:
//
//   import { follow } from './availability.js';
//   const stop = follow('https://stock.shop.example/graphql', ['MUG', 'CUP'], (availability) => { … });
//
// The callback first receives the availability of each SKU, then each change. No token is needed, because this data is
// public. If the page has another origin than the server, add it to GQLSTOCK_CORS_ORIGINS.

const FIELDS = `sku visible orderable unavailableReason onlyLeft lowInventory backorder message availabilityRange
  salableQuantity expectedAt`;
const QUERY = `query Shelf($skus: [String!]!, $website: String) {
  availabilities(skus: $skus, website: $website) { ${FIELDS} }
}`;
const SUBSCRIPTION = `subscription Shelf($skus: [String!]!, $website: String) {
  availabilityChanges(skus: $skus, website: $website) { ${FIELDS} }
}`;

/** Follows the availability of up to 250 SKUs. Returns a function that stops it. */
export function follow(url, skus, show, { website = null } = {}) {
  const ending = new AbortController();
  keepFollowing(url, { skus, website }, show, ending.signal);
  return () => ending.abort();
}

/** Queries availability once. The result is null for unknown SKUs. */
export async function look(url, skus, { website = null } = {}) {
  const answer = await post(url, QUERY, { skus, website }, 'application/json');
  const { data, errors } = await answer.json();
  if (errors) throw new Error(errors[0].message);
  return data.availabilities;
}

/** The date of a timestamp such as expectedAt in the visitor's format: "3 December". With the year if it is another one. */
export function day(moment, locale = undefined) {
  const date = new Date(moment);
  const year = date.getFullYear() === new Date().getFullYear() ? undefined : 'numeric';
  return new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'long', year }).format(date);
}

// The subscription starts with the current state, so nothing needs to be reloaded after a disconnect.
async function keepFollowing(url, variables, show, signal) {
  let pause = 1000;
  while (!signal.aborted) {
    try {
      const answer = await post(url, SUBSCRIPTION, variables, 'text/event-stream', signal);
      for await (const { event, data } of events(answer.body)) {
        if (event !== 'next') continue;
        const told = JSON.parse(data);
        if (told.errors) throw new Error(told.errors[0].message);
        show(told.data.availabilityChanges);
        pause = 1000;
      }
    } catch (error) {
      if (signal.aborted) return;
      console.warn('availability:', error.message);
    }
    // Random jitter keeps all pages of a shop from reconnecting at the same time.
    await new Promise((resolve) => setTimeout(resolve, pause * (0.5 + Math.random())));
    pause = Math.min(pause * 2, 30_000);
  }
}

/** Sends a request. accept selects a JSON response or server-sent events. */
export async function post(url, query, variables, accept, signal) {
  const headers = { 'content-type': 'application/json', accept };
  const answer = await fetch(url, { method: 'POST', headers, body: JSON.stringify({ query, variables }), signal });
  if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
  return answer;
}

/** Reads server-sent events: blocks of lines, each ended by an empty line. Lines that start with a colon are keep-alives. */
export async function* events(body) {
  let rest = '';
  for await (const text of chunks(body.pipeThrough(new TextDecoderStream()))) {
    const blocks = (rest + text).split('\n\n');
    rest = blocks.pop();
    for (const block of blocks) {
      const found = { event: 'message', data: [] };
      for (const line of block.split('\n')) {
        if (line.startsWith('event:')) found.event = line.slice(6).trim();
        if (line.startsWith('data:')) found.data.push(line.slice(5).trim());
      }
      if (found.data.length) yield { event: found.event, data: found.data.join('\n') };
    }
  }
}

// Not every browser supports async iteration over streams.
async function* chunks(stream) {
  const reader = stream.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}
