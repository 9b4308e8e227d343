// Moves units of an order to another warehouse, which has them available.

import { MOVE } from '../../documents/orders.js';
import { ActionDialog } from '../../elements/dialog.js';
import { number, plus } from '../../elements/figures.js';
import { labelOf, quantities } from '../quantities.js';
import { byPlace, waiting } from './units.js';

export function move(session, order) {
  const rows = byPlace(waiting(order));
  const lines = quantities(
    rows.map(({ line, warehouse, onHand, backordered }) => ({
      label: labelOf(line),
      hint: `of ${number(plus(onHand, backordered))} in ${warehouse.name}`,
      value: rows.length === 1 ? plus(onHand, backordered) : '',
      given: { sku: line.sku, line: line.id, from: warehouse.code },
    })),
  );
  const from = new Set(rows.map(({ warehouse }) => warehouse.code));
  const to = session.warehouses.filter(({ code, active }) => active && (from.size > 1 || !from.has(code)));
  const options = to.map(({ code, name }) => ({ value: code, label: name }));
  const paths = rows.map((row, index) => `lines.${index}.to`);
  new ActionDialog(session, {
    title: 'Move to another warehouse',
    about: `Order ${order.number}. The units are then on hand there, and in no shipment.`,
    send: 'Move',
    document: MOVE,
    fields: [
      ...lines.fields,
      {
        name: 'to',
        label: 'To',
        type: 'choice',
        options,
        value: to.length === 1 ? to[0].code : '',
        required: true,
        paths,
      },
      { name: 'reason', label: 'Reason' },
    ],
    check: lines.check,
    input: ({ to: target, reason, ...values }) => ({
      number: order.number,
      lines: lines.input(values).map((row) => ({ ...row, to: target })),
      reason,
    }),
    done: () => session.notices.show(`The units of order ${order.number} are moved.`),
  });
}
