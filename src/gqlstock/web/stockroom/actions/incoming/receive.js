// Receives announced units, also in parts: of one announcement, or of all announcements of a delivery.

import { nodes } from '../../client/paging.js';
import { RECEIVE } from '../../documents/actions.js';
import { DELIVERY } from '../../documents/incoming.js';
import { ActionDialog } from '../../elements/dialog.js';
import { minus, number, plural, plus } from '../../elements/figures.js';
import { labelOf, quantities } from '../quantities.js';

/** Opens the dialog for one announcement. */
export function receive(session, announcement) {
  open(session, announcement, [announcement]);
}

/** Opens the dialog for all that is still to come with the announcement's document number. */
export async function receiveDelivery(session, announcement, signal) {
  const { reference, level } = announcement;
  const found = nodes(session.server, DELIVERY, { reference, warehouse: level.warehouse.code }, signal);
  const waiting = (await Array.fromAsync(found)).filter(({ transfer }) => !transfer);
  open(session, announcement, waiting);
}

function open(session, { reference, level: { warehouse } }, announcements) {
  const lines = quantities(
    announcements.map(({ id, quantity, received, level: { item } }) => ({
      label: labelOf(item),
      hint: `of ${number(minus(quantity, received))}`,
      value: minus(quantity, received),
      given: { sku: item.sku, announcement: id },
    })),
  );
  new ActionDialog(session, {
    title: `Receive in ${warehouse.name}`,
    about: `${reference ? `Delivery ${reference}. ` : ''}Enter what has arrived. What is missing stays announced.`,
    send: 'Receive',
    document: RECEIVE,
    fields: [...lines.fields, { name: 'reference', label: 'Document number', value: reference ?? '' }],
    check: lines.check,
    input: ({ reference: named, ...values }) => ({
      warehouse: warehouse.code,
      reference: named,
      lines: lines.input(values),
    }),
    done: ({ movements }) => session.notices.show(done(movements, warehouse)),
  });
}

function done(movements, warehouse) {
  const [{ quantity, onHandAfter, level }] = movements;
  if (movements.length === 1)
    return `${number(quantity)} of ${level.item.name} received: now ${number(onHandAfter)} on hand in ${warehouse.name}.`;
  const units = movements.reduce((sum, { quantity: more }) => plus(sum, more), 0);
  return `${plural(units, 'unit')} of ${number(movements.length)} items received in ${warehouse.name}.`;
}
