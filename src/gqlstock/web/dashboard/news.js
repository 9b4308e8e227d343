// News that something is to be asked again, for all windows of a browser over one stream: a browser has six connections
// to one address, and every window would take one more of them. Where there are no locks, each has its own.

import { PLACE } from './documents.js';
import { Gap } from './graphql.js';

/** Call `tell` whenever there is news of `what`, and once when it can no longer be missed. */
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
  // Absent in a page that came over plain http from another machine.
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

/** Where the feed stands: what comes behind it is news to who reads on from here. */
export async function place(server, signal) {
  const { inventoryChanges } = await server.ask(PLACE, {}, signal);
  return inventoryChanges.pageInfo.endCursor;
}
