// Ships a shipment: it has left the warehouse.

import { SHIP } from '../../documents/orders.js';
import { ActionDialog } from '../../elements/dialog.js';

/** Opens the dialog for a shipment with `number` and `warehouse`. */
export function ship(session, order, shipment) {
  new ActionDialog(session, {
    title: `Ship ${shipment.number}`,
    about: `Order ${order.number}, from ${shipment.warehouse.name}`,
    send: 'Ship',
    document: SHIP,
    keyed: false,
    fields: [
      { name: 'trackingNumber', label: 'Tracking number' },
      { name: 'carrier', label: 'Carrier' },
    ],
    input: (values) => ({ number: shipment.number, ...values }),
    done: (payload) => session.notices.show(done(payload.shipment)),
  });
}

function done({ number, warehouse, order }) {
  const rest =
    order.status === 'SHIPPED' ? `Order ${order.number} is complete.` : `More of order ${order.number} is to come.`;
  return `Shipment ${number} has left ${warehouse.name}. ${rest}`;
}
