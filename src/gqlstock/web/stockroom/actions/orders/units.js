// The units of an order: which ones wait, which can be packed, and which have left.

import { minus, plus } from '../../elements/figures.js';

const OPEN = new Set(['ON_HAND', 'BACKORDERED']);

const sum = (parts) => parts.reduce((total, { quantity }) => plus(total, quantity), 0);

/** The allocations that have not left, each with its line. */
export function waiting({ lines }) {
  return lines.flatMap((line) =>
    line.allocations.filter(({ state }) => OPEN.has(state)).map((part) => ({ ...part, line })),
  );
}

/** The units on hand that have not left, and those that wait for stock. */
export function totals(order) {
  const parts = waiting(order);
  const onHand = parts.filter(({ state }) => state === 'ON_HAND');
  return {
    toShip: sum(onHand),
    toPack: sum(onHand.filter(({ shipment }) => !shipment)),
    backordered: minus(sum(parts), sum(onHand)),
  };
}

/** The units by warehouse and line: `[{ line, warehouse, onHand, backordered }]`. `parts`: of `waiting`. */
export function byPlace(parts) {
  const places = Map.groupBy(parts, ({ line, warehouse }) => `${line.id} ${warehouse.code}`);
  return [...places.values()].map((same) => {
    const onHand = sum(same.filter(({ state }) => state === 'ON_HAND'));
    return { line: same[0].line, warehouse: same[0].warehouse, onHand, backordered: minus(sum(same), onHand) };
  });
}

/** The units in no shipment, by the warehouse's code. */
export function toPack(order) {
  const loose = waiting(order).filter(({ shipment }) => !shipment);
  return Map.groupBy(byPlace(loose), ({ warehouse }) => warehouse.code);
}

/** What can be canceled of a line. A parked order has no allocations. */
export const unshipped = ({ quantity, canceled, shipped }) => minus(minus(quantity, canceled), shipped);

export const unreturned = ({ shipped, returned }) => minus(shipped, returned);
