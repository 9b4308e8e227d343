// Moves available units to another warehouse: both ends at once, or sent now and received when they arrive.

import { SHIP_TRANSFER, TRANSFER } from '../documents/actions.js';
import { ActionDialog } from '../elements/dialog.js';
import { minus, number, plus } from '../elements/figures.js';
import { hasLevels, levelsOf } from './levels.js';
import { offerUndo } from './undo.js';

const fits = (item, session) => hasLevels(item, session) && session.everyWarehouse.length > 1;

export const transfer = { label: 'Transfer…', scope: 'inventory:write', fits, open };

/** Opens the dialog for an item with `sku` and `name`. */
async function open(session, item, signal) {
  const { sku, name } = item;
  const levels = await levelsOf(session, item, { figure: 'available', signal });
  const from = levels.field({ name: 'from', label: 'From', paths: ['from', 'lines.0.sku'] });
  const targets = session.everyWarehouse.map((one) => ({ value: one.code, label: one.name }));
  const isShipped = ({ arrival }) => arrival === 'later';
  const dialog = new ActionDialog(session, {
    title: 'Transfer stock',
    about: `${name} · ${sku}`,
    send: 'Transfer',
    fields: [
      from,
      {
        name: 'to',
        label: 'To',
        type: 'choice',
        options: targets,
        value: targets.find(({ value }) => value !== from.value).value,
        required: true,
      },
      { name: 'quantity', label: 'Quantity', type: 'quantity', required: true, paths: ['lines.0.quantity'] },
      {
        name: 'arrival',
        label: 'Arrival',
        type: 'choice',
        options: [
          { value: 'now', label: 'They are there now' },
          { value: 'later', label: 'They are on their way' },
        ],
        value: session.viewer.warehouses ? 'later' : 'now',
        required: true,
      },
      { name: 'expectedAt', label: 'Expected', type: 'date', shown: isShipped },
      { name: 'reason', label: 'Reason' },
      { name: 'reference', label: 'Document number' },
    ],
    document: (values) => (isShipped(values) ? SHIP_TRANSFER : TRANSFER),
    input: ({ from: source, to, quantity, arrival, expectedAt, reason, reference }) => ({
      from: source,
      to,
      lines: [{ sku, quantity }],
      reason,
      reference,
      ...(arrival === 'later' ? { expectedAt } : {}),
    }),
    preview: (values) => preview(session, levels, values),
    done({ movements, transfer: shipped }) {
      if (shipped) return session.notices.show(sent(dialog.values, shipped));
      const [out, arrived] = movements[0].quantity < 0 ? movements : movements.toReversed();
      const input = { from: arrived.level.warehouse.code, to: out.level.warehouse.code, reason: 'Undone' };
      const lines = [{ sku, quantity: arrived.quantity }];
      offerUndo(session, moved(out, arrived), arrived, { also: [out], document: TRANSFER, input: { ...input, lines } });
    },
  });
  levels.subscribe(dialog, { name: 'from' });

  function sent({ quantity }, { number: id, to }) {
    return `${name}: ${number(quantity)} on the way to ${to.name}, transfer ${id}.`;
  }
}

function preview({ everyWarehouse }, levels, { from, to, quantity }) {
  const nameOf = (wanted) => everyWarehouse.find(({ code }) => code === wanted).name;
  const free = levels.available(from);
  const left = quantity > 0 ? `, ${number(minus(free, quantity))} after` : '';
  const here = `${nameOf(from)}: ${number(free)} available${left}.`;
  if (!levels.codes.includes(to)) return here;
  const there = levels.available(to);
  const more = quantity > 0 ? `, ${number(plus(there, Number(quantity)))} after` : '';
  return `${here} ${nameOf(to)}: ${number(there)} available${more}.`;
}

const moved = (out, { quantity, onHandAfter, level: { item, warehouse } }) =>
  `${item.name}: ${number(quantity)} moved. Now ${number(out.onHandAfter)} on hand in ${out.level.warehouse.name}, ` +
  `${number(onHandAfter)} in ${warehouse.name}.`;
