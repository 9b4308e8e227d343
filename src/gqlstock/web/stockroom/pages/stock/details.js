// What the list of items does not have: which are low, and when the next units arrive.

import { nodes } from '../../client/paging.js';
import { INCOMING_OF_ITEMS, LOW_ITEMS } from '../../documents/stock.js';

/** The ids of those that are low, of at most 250 rows. */
export async function lowOf(server, rows, signal) {
  const low = new Set();
  const skus = skusOf(rows.filter(({ hasLevels }) => hasLevels));
  if (!skus.length) return low;
  for await (const { item } of nodes(server, LOW_ITEMS, { skus }, signal)) low.add(item.id);
  return low;
}

/** When the next units of at most 250 rows arrive: `{ at, overdue }` by id. */
export async function nextOf(server, rows, signal) {
  const next = new Map();
  // Few items have units on their way, and only those are worth a look.
  const skus = skusOf(rows.filter(({ totals }) => totals.incoming > 0));
  if (!skus.length) return next;
  // Soonest first.
  for await (const { expectedAt, overdue, level } of nodes(server, INCOMING_OF_ITEMS, { skus }, signal)) {
    if (!next.has(level.item.id)) next.set(level.item.id, { at: expectedAt, overdue });
  }
  return next;
}

const skusOf = (rows) => rows.map(({ item }) => item.sku);
