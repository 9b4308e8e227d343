// Tries again to place an order that was parked for lack of stock.

import { RETRY } from '../../documents/orders.js';
import { ActionDialog } from '../../elements/dialog.js';

export function retry(session, order) {
  new ActionDialog(session, {
    title: 'Try to place it again',
    about: `Order ${order.number} is parked for lack of stock. It is placed if there is enough now.`,
    send: 'Try again',
    document: RETRY,
    keyed: false,
    fields: [],
    input: () => ({ number: order.number }),
    done: (payload) => session.notices.show(done(payload.order)),
  });
}

const done = ({ number, status }) =>
  status === 'BACKORDERED'
    ? `There is still too little stock: order ${number} stays parked.`
    : `Order ${number} is placed.`;
