// Withdraws what has not arrived of an announcement.

import { WITHDRAW } from '../../documents/incoming.js';
import { ActionDialog } from '../../elements/dialog.js';
import { minus, number } from '../../elements/figures.js';

export function withdraw(session, { id, quantity, received, level: { item, warehouse } }) {
  const missing = number(minus(quantity, received));
  new ActionDialog(session, {
    title: 'Withdraw the announcement',
    about: `${missing} of ${item.name} (${item.sku}) will not arrive in ${warehouse.name}. ${WAITING}`,
    send: 'Withdraw',
    document: WITHDRAW,
    keyed: false,
    fields: [],
    input: () => ({ id }),
    done: () => session.notices.show(`${missing} of ${item.name} are no longer announced for ${warehouse.name}.`),
  });
}

const WAITING = 'Orders that wait for them lose their date.';
