// Cancels a shipment that has not left: its units can be packed again.

import { UNPACK } from '../../documents/orders.js';
import { ActionDialog } from '../../elements/dialog.js';

export function unpack(session, order, shipment) {
  new ActionDialog(session, {
    title: `Unpack ${shipment.number}`,
    about: `Order ${order.number}. The shipment is canceled, and its units can be packed again.`,
    send: 'Unpack',
    document: UNPACK,
    keyed: false,
    fields: [],
    input: () => ({ number: shipment.number }),
    done: () => session.notices.show(`Shipment ${shipment.number} is unpacked. Its units are to be packed again.`),
  });
}
