// Counts stock: sets what is on hand in a warehouse. A count never overwrites a change that the person has not seen.

import { COUNT } from '../documents/actions.js';
import { ActionDialog } from '../elements/dialog.js';
import { minus, number, signed } from '../elements/figures.js';
import { hasLevels, levelsOf } from './levels.js';
import { offerUndo } from './undo.js';

export const count = { label: 'Count…', scope: 'inventory:write', fits: hasLevels, open };

/** Opens the dialog for an item with `sku` and `name`. */
async function open(session, item, signal) {
  const levels = await levelsOf(session, item, { signal });
  // What was on hand when the person entered the count, by warehouse. The server refuses the count if it is not so any more.
  const seen = new Map(levels.codes.map((code) => [code, levels.onHand(code)]));
  const expected = (warehouse) => seen.get(warehouse) ?? 0;
  const dialog = new ActionDialog(session, {
    title: 'Count stock',
    about: `${item.name} · ${item.sku}`,
    send: 'Save count',
    document: COUNT,
    fields: [
      levels.field({ name: 'warehouse', paths: ['counts.0.warehouse'] }),
      {
        name: 'onHand',
        label: 'Count',
        type: 'quantity',
        hint: levels.isSoldWhenOrdered
          ? 'Without the units that are already ordered.'
          : 'With the units that are ordered and have not left.',
        required: true,
        paths: ['counts.0.onHand', 'counts.0.expectedOnHand', 'counts.0.sku'],
      },
      { name: 'reason', label: 'Reason', suggestions: ['Stocktaking', 'Spot check'] },
      { name: 'reference', label: 'Document number' },
    ],
    input: ({ warehouse, onHand, reason, reference }) => ({
      counts: [{ sku: item.sku, warehouse, onHand, expectedOnHand: expected(warehouse) }],
      reason,
      reference,
    }),
    preview: ({ warehouse, onHand }) => preview(levels.onHand(warehouse), onHand, expected(warehouse)),
    refused: (errors) => errors.map((error) => ('actual' in error ? { ...error, message: stale(error) } : error)),
    done: ({ movements: [movement] }) => {
      if (movement) offerUndo(session, done(movement), movement);
      else session.notices.show(`${item.name}: counted, and as many on hand as before.`);
    },
  });
  /** The server's new figure was shown: sending the count again is the person's decision. */
  function stale({ warehouse, expected: before, actual }) {
    seen.set(warehouse, actual);
    levels.set(warehouse, { onHand: actual });
    dialog.refresh();
    const change = `On hand went from ${number(before)} to ${number(actual)} meanwhile.`;
    return `${change} Check whether your count is right after that, then save it again.`;
  }
  const changed = (code) => {
    const { warehouse, onHand } = dialog.values;
    if (code !== warehouse || onHand === null) seen.set(code, levels.onHand(code));
  };
  levels.subscribe(dialog, { name: 'warehouse', changed });
}

function preview(now, counted, before) {
  const changed = counted !== null && before !== now ? ` It was ${number(before)} when you entered the count.` : '';
  const difference = minus(Number(counted), now);
  if (counted === null || Number.isNaN(difference)) return `${number(now)} on hand now.`;
  if (difference === 0) return `${number(now)} on hand now, as counted.${changed}`;
  return `${number(now)} on hand now; the count changes it by ${signed(difference)}.${changed}`;
}

const done = ({ quantity, onHandAfter, level: { item, warehouse } }) =>
  `${item.name} in ${warehouse.name}: counted, now ${number(onHandAfter)} on hand (${signed(quantity)}).`;
