// Follows changes with the real client of a protocol and writes each down as a line of JSON; after a cut it goes on from
// the last cursor it saw, as a dashboard would.
import { createClient as overEvents } from 'graphql-sse';
import { createClient as overSocket } from 'graphql-ws';
import WebSocket from 'ws';

const [protocol, url, token] = process.argv.slice(2);
const headers = { Authorization: `Bearer ${token}` };
const patient = { retryAttempts: 100, retry: async () => new Promise((resolve) => setTimeout(resolve, 100)) };
const tell = (line) => console.log(JSON.stringify(line));

const client =
  protocol === 'graphql-ws'
    ? overSocket({
        url: url.replace('http', 'ws'),
        webSocketImpl: WebSocket,
        connectionParams: headers,
        retryAttempts: patient.retryAttempts,
        retryWait: patient.retry,
        // A server that is not there yet, as well as one that closed the connection; but not one that said Forbidden.
        shouldRetry: (problem) => problem.code !== 4403,
      })
    : overEvents({ url, headers, ...patient });

// Both clients send the request anew when they connect again: with the cursor that is in it by then.
const request = {
  query: `subscription ($after: String) {
    inventoryChanges(after: $after) { cursor level { item { sku } } movement { quantity } }
  }`,
  variables: {},
};

client.subscribe(request, {
  next({ data, errors }) {
    if (errors) {
      tell({ errors: errors.map((error) => error.extensions.code) });
      return;
    }
    const change = data.inventoryChanges;
    request.variables.after = change.cursor;
    tell({ sku: change.level.item.sku, quantity: change.movement.quantity });
  },
  error(error) {
    tell({ closed: error.code, reason: error.reason ?? String(error.message ?? error) });
  },
  complete() {
    tell({ complete: true });
  },
});
