// Notifications that data is stale, shared by all windows of a browser over one stream: browsers allow six HTTP/1.1
// connections per host, and each window would use one more. Without the Web Locks API, each window has its own stream.

import { LATEST_CURSOR } from '../documents/session.js';
import { CursorExpired } from './graphql.js';

/** Calls `tell` on each event about `what`, and once when the subscription is open, until `signal` is aborted. */
export async function listen(server, what, text, tell, signal = server.signal) {
  const name = server.named(what);
  const windows = new BroadcastChannel(name);
  signal.addEventListener('abort', () => windows.close());
  windows.onmessage = tell;
  const lead = () =>
    led(server, text, signal, () => {
      if (!signal.aborted) windows.postMessage(what);
      tell();
    });
  // Absent in pages served over plain HTTP by another machine.
  await (navigator.locks ? navigator.locks.request(name, { signal }, lead) : lead());
}

async function led(server, text, signal, tell) {
  while (!signal.aborted) {
    try {
      const after = await latestCursor(server, signal);
      await server.subscribe(text, { after }, { next: tell, open: tell, signal });
    } catch (error) {
      if (!(error instanceof CursorExpired)) throw error;
    }
  }
}

/**
 * Reads a list, then passes each later change of it to `next`, until `signal` is aborted. `read` shows the list and returns
 * the variables of the subscription. After a gap in the feed, the list is read again.
 */
export async function readAndSubscribe(server, text, { read, next, signal }) {
  for (;;) {
    const after = await latestCursor(server, signal);
    const variables = await read();
    try {
      await server.subscribe(text, { ...variables, after }, { next, rests: true, signal });
    } catch (error) {
      if (!(error instanceof CursorExpired)) throw error;
    }
    signal.throwIfAborted();
  }
}

/** The current cursor of the feed. */
async function latestCursor(server, signal) {
  const { inventoryChanges } = await server.ask(LATEST_CURSOR, {}, signal);
  return inventoryChanges.pageInfo.endCursor;
}
