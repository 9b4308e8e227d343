// Adjusts stock: adds units to a level, or takes some off.

import { ADJUST } from '../documents/actions.js';
import { ActionDialog } from '../elements/dialog.js';
import { number, plus, signed } from '../elements/figures.js';
import { hasLevels, levelsOf } from './levels.js';
import { offerUndo } from './undo.js';

const REASONS = ['Damaged', 'Found', 'Lost', 'Own use', 'Sample', 'Stolen'];

export const adjust = { label: 'Adjust…', scope: 'inventory:write', fits: hasLevels, open };

/** Opens the dialog for an item with `sku` and `name`. */
async function open(session, item, signal) {
  const levels = await levelsOf(session, item, { signal });
  const dialog = new ActionDialog(session, {
    title: 'Adjust stock',
    about: `${item.name} · ${item.sku}`,
    send: 'Adjust',
    document: ADJUST,
    fields: [
      levels.field({ name: 'warehouse', paths: ['changes.0.warehouse'] }),
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
    preview: ({ warehouse, delta }) => preview(levels.onHand(warehouse), Number(delta)),
    done: ({ movements: [movement] }) => offerUndo(session, done(movement), movement),
  });
  levels.subscribe(dialog, { name: 'warehouse' });
}

const preview = (onHand, delta) =>
  delta ? `${number(onHand)} on hand now, ${number(plus(onHand, delta))} after.` : `${number(onHand)} on hand now.`;

const done = ({ quantity, onHandAfter, level: { item, warehouse } }) =>
  `${item.name} in ${warehouse.name}: ${signed(quantity)}, now ${number(onHandAfter)} on hand.`;
