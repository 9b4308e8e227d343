// What can be done with an order and with its shipments, in the order in which menus offer it.

import { cancel } from './orders/cancel.js';
import { move } from './orders/move.js';
import { pack } from './orders/pack.js';
import { retry } from './orders/retry.js';
import { ship } from './orders/ship.js';
import { takeBack } from './orders/take_back.js';
import { toPack, unreturned, unshipped, waiting } from './orders/units.js';
import { unpack } from './orders/unpack.js';

const SCOPE = 'orders:write';
// What brings an order on its way.
const FORWARD = new Set([pack, retry, ship]);

/** The actions that make sense for an order now, if the token may take them: `[{ label, run, isForward }]`. */
export function actionsOfOrder(session, order) {
  if (!session.may(SCOPE)) return [];
  const offered = [];
  const offer = (label, open, ...given) =>
    offered.push({ label, run: () => open(session, order, ...given), isForward: FORWARD.has(open) });
  if (order.status === 'BACKORDERED') offer('Try again…', retry);
  const places = [...toPack(order).values()];
  // A shipment of nothing but units on backorder is seldom wanted: it only waits.
  const ready = places.filter((rows) => rows.some(({ onHand }) => onHand > 0));
  for (const rows of ready) offer(places.length > 1 ? `Pack in ${rows[0].warehouse.name}…` : 'Pack…', pack, rows);
  for (const shipment of order.shipments)
    if (shipment.state === 'READY') offer(`Ship ${shipment.number}…`, ship, shipment);
  if (waiting(order).length && session.warehouses.length > 1) offer('Move to another warehouse…', move);
  if (order.lines.some((line) => unshipped(line) > 0)) offer('Cancel items…', cancel);
  if (order.lines.some((line) => unreturned(line) > 0)) offer('Return items…', takeBack);
  return offered;
}

/** The actions for one shipment of an order. */
export function actionsOfShipment(session, order, shipment) {
  if (!session.may(SCOPE)) return [];
  const offered = [];
  if (shipment.state === 'READY') offered.push({ label: 'Ship…', run: () => ship(session, order, shipment) });
  if (['READY', 'PENDING'].includes(shipment.state))
    offered.push({ label: 'Unpack…', run: () => unpack(session, order, shipment) });
  return offered;
}
