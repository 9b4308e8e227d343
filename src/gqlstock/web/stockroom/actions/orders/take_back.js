// Records that shipped units came back.

import { RETURN } from '../../documents/orders.js';
import { ActionDialog } from '../../elements/dialog.js';
import { number } from '../../elements/figures.js';
import { labelOf, quantities } from '../quantities.js';
import { unreturned } from './units.js';

const REASONS = ['Damaged', 'Does not fit', 'Not as described', 'Not wanted', 'Wrong item'];
const RESTOCK = [
  { value: 'settings', label: 'As the shop’s settings say' },
  { value: 'yes', label: 'Yes, they can be sold again' },
  { value: 'no', label: 'No, they are not put back' },
];

export function takeBack(session, order) {
  const gone = order.lines.filter((line) => unreturned(line) > 0);
  const lines = quantities(
    gone.map((line) => ({
      label: labelOf(line),
      hint: `of ${number(unreturned(line))}`,
      value: gone.length === 1 ? unreturned(line) : '',
      given: { sku: line.sku, line: line.id },
    })),
  );
  new ActionDialog(session, {
    title: 'Return items',
    about: `Order ${order.number}. Enter what came back.`,
    send: 'Return',
    document: RETURN,
    fields: [
      ...lines.fields,
      { name: 'restock', label: 'Back to stock', type: 'choice', options: RESTOCK, value: 'settings', required: true },
      { name: 'reason', label: 'Reason', suggestions: REASONS },
    ],
    check: lines.check,
    input: ({ restock, reason, ...values }) => ({
      order: order.number,
      lines: lines.input(values),
      restock: restock === 'settings' ? null : restock === 'yes',
      reason,
    }),
    done: () => session.notices.show(`The return to order ${order.number} is recorded.`),
  });
}
