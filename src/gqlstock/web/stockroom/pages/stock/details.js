// What the list of items does not have: which are low, and when the next units arrive.

import { nodes } from '../../client/paging.js';
import { INCOMING_OF_ITEMS, LOW_ITEMS } from '../../documents/stock.js';

/** For at most 250 SKUs: `low`, a set of ids, and `next`, `{ at, overdue }` by id. */
export async function detailsOf(server, skus, signal) {
  const low = new Set();
  const next = new Map();
  if (!skus.length) return { low, next };
  for await (const { item } of nodes(server, LOW_ITEMS, { skus }, signal)) low.add(item.id);
  // Soonest first.
  for await (const { expectedAt, overdue, level } of nodes(server, INCOMING_OF_ITEMS, { skus }, signal)) {
    if (!next.has(level.item.id)) next.set(level.item.id, { at: expectedAt, overdue });
  }
  return { low, next };
}
