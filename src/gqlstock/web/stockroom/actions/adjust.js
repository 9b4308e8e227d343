// Adjusts stock: adds units to a level, or takes some off.

import { nodes } from '../client/paging.js';
import { ADJUST, ITEM_LEVELS } from '../documents/actions.js';
import { ActionDialog } from '../elements/dialog.js';
import { number, plus, signed } from '../elements/figures.js';
import { offerUndo } from './undo.js';

const REASONS = ['Damaged', 'Found', 'Lost', 'Own use', 'Sample', 'Stolen'];

export const adjust = { label: 'Adjust…', scope: 'inventory:write', open };

/** Opens the dialog for an item with `sku` and `name`. */
async function open(session, item) {
  const levels = new Map(
    (await Array.fromAsync(nodes(session.server, ITEM_LEVELS, { sku: item.sku }))).map((level) => [
      level.warehouse.code,
      level,
    ]),
  );
  const options = session.warehouses.map(({ code, name }) => {
    const level = levels.get(code);
    return { value: code, label: level ? `${name}: ${number(level.onHand)} on hand` : `${name}: not stocked` };
  });
  const dialog = new ActionDialog(session, {
    title: 'Adjust stock',
    about: `${item.name} · ${item.sku}`,
    send: 'Adjust',
    document: ADJUST,
    fields: [
      {
        name: 'warehouse',
        label: 'Warehouse',
        type: 'choice',
        options,
        value: first(options, levels),
        required: true,
        paths: ['changes.0.warehouse'],
      },
      {
        name: 'delta',
        label: 'Change',
        type: 'signed',
        hint: 'Such as −2 for two broken ones, or 5 for five found.',
        required: true,
        paths: ['changes.0.delta', 'changes.0.sku'],
      },
      { name: 'reason', label: 'Reason', suggestions: REASONS },
      { name: 'reference', label: 'Document number' },
    ],
    input: ({ warehouse, delta, reason, reference }) => ({
      changes: [{ sku: item.sku, warehouse, delta }],
      reason,
      reference,
    }),
    preview: ({ warehouse, delta }) => preview(levels.get(warehouse)?.onHand ?? 0, Number(delta)),
    done: ({ movements: [movement] }) => offerUndo(session, done(movement), movement),
  });
  session.changes.listen(({ level }) => {
    if (level.item.id !== item.id) return;
    levels.set(level.warehouse.code, { ...levels.get(level.warehouse.code), ...level });
    dialog.refresh();
  }, dialog.signal);
}

/** The first warehouse that stocks the item. */
const first = (options, levels) => options.find(({ value }) => levels.has(value))?.value ?? options[0].value;

const preview = (onHand, delta) =>
  delta ? `${number(onHand)} on hand now, ${number(plus(onHand, delta))} after.` : `${number(onHand)} on hand now.`;

const done = ({ quantity, onHandAfter, level: { item, warehouse } }) =>
  `${item.name} in ${warehouse.name}: ${signed(quantity)}, now ${number(onHandAfter)} on hand.`;
