// What an order and its shipments are, in words.

import { totals } from '../../actions/orders/units.js';
import { element, mark } from '../../elements/element.js';
import { date, number } from '../../elements/figures.js';

/** The state of an order: a shape and words. */
export function stateOf(order) {
  const { toPack, backordered } = totals(order);
  if (order.status === 'CANCELED') return ['uncounted', 'Canceled'];
  if (order.status === 'BACKORDERED') return ['out', 'Parked'];
  if (order.status === 'SHIPPED')
    return order.lines.every(isBack) ? ['uncounted', 'Returned'] : ['resolved', 'Shipped'];
  if (toPack > 0) return ['enough', 'To pack'];
  // A shipment with units on backorder waits for them.
  if (order.shipments.some(({ state }) => state === 'READY')) return ['taken', 'Packed'];
  if (backordered > 0) return [isLate(order.expectedAt) ? 'low' : 'uncounted', 'Waiting for stock'];
  return ['enough', 'Placed'];
}

const isBack = ({ shipped, returned }) => returned >= shipped;

export const SHIPMENT_STATES = {
  PENDING: ['uncounted', 'Waiting for stock'],
  READY: ['taken', 'Packed'],
  SHIPPED: ['resolved', 'Shipped'],
  CANCELED: ['uncounted', 'Unpacked'],
};

export const stateMark = (state) => mark(...state);

const isLate = (at) => !at || new Date(at) < new Date();

/** When units on backorder can leave, or that nobody knows. Other words tomorrow. */
export function expectedWords(at) {
  if (!at) return 'no date';
  return isLate(at) ? `due ${date(at)}` : `expected ${date(at)}`;
}

export const expected = (at) =>
  element('span', { class: isLate(at) ? 'trouble when' : 'quiet when' }, expectedWords(at));

/** Units on backorder with their date, as the content of a figure. */
export const waitingFigure = (quantity, at) =>
  element('div', { class: quantity > 0 ? null : 'nothing' }, number(quantity), quantity > 0 ? expected(at) : null);
