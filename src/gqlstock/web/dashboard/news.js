// Notifications that data is stale, shared by all windows of a browser over one stream: browsers allow six HTTP/1.1
// connections per host, and each window would use one more. Without the Web Locks API, each window has its own stream.

import { PLACE } from './documents.js';
import { Gap } from './graphql.js';

/** Calls `tell` on each event about `what`, and once when the subscription is open. */
export async function listen(server, what, text, tell) {
  const name = server.named(what);
  const windows = new BroadcastChannel(name);
  server.signal.addEventListener('abort', () => windows.close());
  windows.onmessage = tell;
  const lead = () =>
    led(server, text, () => {
      if (!server.signal.aborted) windows.postMessage(what);
      tell();
    });
  // Absent in pages served over plain HTTP by another machine.
  await (navigator.locks ? navigator.locks.request(name, { signal: server.signal }, lead) : lead());
}

async function led(server, text, tell) {
  while (!server.signal.aborted) {
    try {
      const after = await place(server);
      await server.follow(text, { after }, { next: tell, open: tell, signal: server.signal });
    } catch (error) {
      if (!(error instanceof Gap)) throw error;
    }
  }
}

/** The current cursor of the feed. */
export async function place(server, signal) {
  const { inventoryChanges } = await server.ask(PLACE, {}, signal);
  return inventoryChanges.pageInfo.endCursor;
}
