// A shopper's own order: placed, then read and followed by its access token. No other token is needed.
//
// Copy this file into a storefront, with availability.js:
//
//   import { followOrder } from './order.js';
//   const stop = followOrder('https://stock.shop.example/graphql', accessToken, (order) => { … });
//
// The callback receives the current order, then each change; null if the token is invalid.
//
// Shops place orders from their own server, which has a token with orders:write and passes the order's accessToken to the
// page. place() is for servers with GQLSTOCK_PUBLIC_ORDERS, such as the demo.

import { events, post } from './availability.js';

const FIELDS = `number status expectedAt promisedAt
  lines { sku name quantity backordered shipped canceled expectedAt }
  shipments { number state trackingNumber carrier expectedAt shippedAt }`;
const QUERY = `query MyOrder($token: String!) { orderByToken(token: $token) { ${FIELDS} } }`;
const SUBSCRIPTION = `subscription MyOrderChanges($token: String!, $after: String) {
  orderChangesByToken(token: $token, after: $after) { cursor order { ${FIELDS} } }
}`;
const MUTATION = `mutation Buy($input: PlaceOrderInput!) {
  placeOrder(input: $input) { order { accessToken } userErrors { message } }
}`;

/** Places an order with lines such as { sku: 'MUG', quantity: 1 }. Returns its access token. */
export async function place(url, lines, { website = null } = {}) {
  // With this key, a retry after a disconnect does not place a second order.
  const input = { lines, website, idempotencyKey: crypto.randomUUID() };
  const { placeOrder } = await ask(url, MUTATION, { input });
  if (placeOrder.userErrors.length) throw new Error(placeOrder.userErrors[0].message);
  return placeOrder.order.accessToken;
}

/** The order with an access token; null if the token is invalid. */
export async function read(url, token) {
  return (await ask(url, QUERY, { token })).orderByToken;
}

/** Follows the order with an access token. Returns a function that stops it. */
export function followOrder(url, token, show) {
  const ending = new AbortController();
  keepFollowing(url, token, show, ending.signal);
  return () => ending.abort();
}

async function ask(url, query, variables) {
  const { data, errors } = await (await post(url, query, variables, 'application/json')).json();
  if (errors) throw new Error(errors[0].message);
  return data;
}

async function keepFollowing(url, token, show, signal) {
  let pause = 1000;
  let after = null;
  while (!signal.aborted) {
    try {
      const answer = await post(url, SUBSCRIPTION, { token, after }, 'text/event-stream', signal);
      // With a cursor, missed changes arrive first. Without one, read the order after subscribing, so that none is missed.
      if (after === null) {
        const now = await read(url, token);
        if (signal.aborted) return;
        show(now);
        if (now === null) return;
      }
      for await (const { event, data } of events(answer.body)) {
        if (event !== 'next') continue;
        const told = JSON.parse(data);
        if (told.errors) {
          // The cursor is too old, or the token is no longer valid: read the order again.
          after = null;
          throw new Error(told.errors[0].message);
        }
        after = told.data.orderChangesByToken.cursor;
        show(told.data.orderChangesByToken.order);
        pause = 1000;
      }
    } catch (error) {
      if (signal.aborted) return;
      console.warn('order:', error.message);
    }
    await new Promise((resolve) => setTimeout(resolve, pause * (0.5 + Math.random())));
    pause = Math.min(pause * 2, 30_000);
  }
}
