// A shopper's own order: placed, then read and followed by its access token. No other token is needed for that.
//
// Copy this file into a storefront, with availability.js:
//
//   import { followOrder } from './order.js';
//   const stop = followOrder('https://stock.shop.example/graphql', accessToken, (order) => { … });
//
// The callback hears the order as it is now, then each change of it; null for a token that is wrong.
//
// A shop places orders from its own server, which has a token with orders:write and gives the page the accessToken of the
// order. place() is for servers with GQLSTOCK_PUBLIC_ORDERS, such as the demo.

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

/** Places an order of such lines as { sku: 'MUG', quantity: 1 }; gives its access token. */
export async function place(url, lines, { website = null } = {}) {
  // Sent again after a cut, with this key, it is one order.
  const input = { lines, website, idempotencyKey: crypto.randomUUID() };
  const { placeOrder } = await ask(url, MUTATION, { input });
  if (placeOrder.userErrors.length) throw new Error(placeOrder.userErrors[0].message);
  return placeOrder.order.accessToken;
}

/** The order of an access token; null for a wrong one. */
export async function read(url, token) {
  return (await ask(url, QUERY, { token })).orderByToken;
}

/** Follows the order of an access token; gives a function that ends it. */
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
      // With a cursor, what was missed comes first. Without one, the order is read once changes are listened for.
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
          // The cursor is too old, or the token is not valid any more: the order is read anew.
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
