/*
Receives webhooks: checks who sent them, handles each message once, and answers at once.

    npm install standardwebhooks
    export WEBHOOK_SECRET=whsec_…          # what createWebhookEndpoint answered, this once
    node webhook_receiver.mjs 9000         # listens at http://127.0.0.1:9000/

To try it, start the demo with GQLSTOCK_WEBHOOK_PRIVATE_ADDRESSES=true. Without it only public addresses are called, by
https. Then run in GraphiQL, with the demo's token in the headers, and testWebhookEndpoint with the endpoint's id:

    mutation {
      createWebhookEndpoint(input: { url: "http://127.0.0.1:9000/", topics: [ORDER_PLACED, SHIPMENT_UPDATED] }) {
        endpoint { id }
        secret
      }
    }
*/

import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';

import { Webhook, WebhookVerificationError } from 'standardwebhooks';

const LONGEST = 1_000_000;

const webhook = new Webhook(process.env.WEBHOOK_SECRET);

// A message has the same id each time it is sent, also when our answer was lost. The ids of handled messages are kept
// in a file: here for good, a day would do.
const file = process.env.WEBHOOK_HANDLED ?? 'handled.txt';
const handled = new Set(existsSync(file) ? readFileSync(file, 'utf8').split('\n') : []);

/** What the shop wants done. Keep it short, or put it into a queue: after 15 seconds it counts as not taken. */
function handle(message) {
  console.log(message.type, JSON.stringify(message.data));
}

async function bodyOf(request) {
  const parts = [];
  let length = 0;
  for await (const part of request) {
    length += part.length;
    if (length > LONGEST) return null;
    parts.push(part);
  }
  return Buffer.concat(parts);
}

async function receive(request) {
  const body = await bodyOf(request);
  if (body === null) return 413;
  let message;
  try {
    // The signature is over the very bytes: check before anything is parsed. Messages older than five minutes are refused
    // too, so that nobody can send again what they have overheard. After a rotation a message has two signatures for a
    // day: one that matches is enough.
    message = webhook.verify(body, request.headers);
  } catch (error) {
    if (error instanceof WebhookVerificationError) return 401;
    throw error;
  }
  const id = request.headers['webhook-id'];
  if (!handled.has(id)) {
    handle(message);
    // After it is handled: a crash in between has it sent again rather than lost.
    handled.add(id);
    appendFileSync(file, `${id}\n`);
  }
  return 204; // Any 2xx: taken. Everything else is sent again later.
}

createServer(async (request, response) => {
  const status = await receive(request).catch(() => 500);
  response.writeHead(status, { 'content-length': 0 }).end();
}).listen(Number(process.argv[2] ?? 9000), '127.0.0.1');
