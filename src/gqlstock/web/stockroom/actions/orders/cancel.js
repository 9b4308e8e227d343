// Cancels an order, or units of it, that have not left.

import { CANCEL_ORDER } from '../../documents/orders.js';
import { ActionDialog } from '../../elements/dialog.js';
import { number } from '../../elements/figures.js';
import { labelOf, quantities } from '../quantities.js';
import { unshipped } from './units.js';

const REASONS = ['Customer changed their mind', 'Ordered by mistake', 'Cannot be delivered', 'Fraud'];

export function cancel(session, order) {
  const open = order.lines.filter((line) => unshipped(line) > 0);
  const lines = quantities(
    open.map((line) => ({
      label: labelOf(line),
      hint: `of ${number(unshipped(line))}`,
      value: unshipped(line),
      given: { sku: line.sku, line: line.id },
    })),
  );
  // A parked order has no stock that could be written off.
  const isParked = order.status === 'BACKORDERED';
  const restock = { name: 'restock', label: 'The units can be sold again', type: 'check', value: true, required: true };
  new ActionDialog(session, {
    title: 'Cancel items',
    about: `Order ${order.number}. Units that have left stay as they are.`,
    send: 'Cancel these items',
    dismiss: 'Keep them',
    document: CANCEL_ORDER,
    fields: [
      ...lines.fields,
      ...(isParked ? [] : [restock]),
      { name: 'reason', label: 'Reason', suggestions: REASONS },
    ],
    check: lines.check,
    preview: (values) => (values.restock === false ? 'Units on hand are written off.' : ''),
    input: (values) => ({
      number: order.number,
      lines: lines.input(values),
      restock: values.restock ?? true,
      reason: values.reason,
    }),
    done: (payload) => session.notices.show(done(payload.order)),
  });
}

const done = ({ number: name, status }) =>
  status === 'CANCELED' ? `Order ${name} is canceled.` : `The items are canceled. The rest of order ${name} stays.`;
