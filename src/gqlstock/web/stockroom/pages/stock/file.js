// The chosen items as a CSV file: all of them, not only the page that is shown.

import { pages } from '../../client/paging.js';
import { ITEMS } from '../../documents/stock.js';
import { save } from '../../elements/csv.js';
import { lowOf, nextOf } from './details.js';
import { rowOf } from './rows.js';
import { stateOf } from './state.js';

const WORDS = ['Available', 'On backorder', 'Incoming', 'Next expected', 'State'];

/** Saves the items of a view, by SKU. `read(count)` is called as they are read. */
export async function saveItems({ server, warehouses }, view, { read, signal }) {
  const codes = warehouses.map(({ code }) => code);
  const lines = [['SKU', 'Name', ...warehouses.map(({ name }) => name), ...WORDS]];
  // By SKU, whatever the page is sorted by: sorting by what is available would sum all levels for each page.
  const variables = { ...view.list, sort: 'SKU', reverse: false, warehouses: codes, levels: codes.length };
  for await (const items of pages(server, ITEMS, variables, signal)) {
    const rows = items.map(rowOf);
    const [low, next] = await Promise.all([lowOf(server, rows, signal), nextOf(server, rows, signal)]);
    lines.push(...rows.map((row) => line(row, { isLow: low.has(row.id), next: next.get(row.id), codes })));
    read(lines.length - 1);
  }
  save('stock', lines);
}

function line(row, { isLow, next, codes }) {
  const { item, counted, hasLevels, levels, totals } = row;
  const [, state] = stateOf({ ...row, isLow });
  const onHand = codes.map((code) => (hasLevels ? (levels.get(code) ?? 0) : null));
  const expected = totals.incoming > 0 ? (next?.at ?? null) : null;
  return [
    item.sku,
    item.name,
    ...onHand,
    counted ? totals.available : null,
    totals.backordered,
    totals.incoming,
    expected,
    state,
  ];
}
