// Packs units of an order: they leave one warehouse together.

import { PACK } from '../../documents/orders.js';
import { ActionDialog } from '../../elements/dialog.js';
import { number, plural, plus } from '../../elements/figures.js';
import { labelOf, quantities } from '../quantities.js';
import { ship } from './ship.js';

/** Opens the dialog for the units of an order in one warehouse: `rows` as of `byPlace`. */
export function pack(session, order, rows) {
  const [{ warehouse }] = rows;
  const lines = quantities(
    rows.map(({ line, onHand, backordered }) => ({
      label: labelOf(line),
      hint: hint(onHand, backordered),
      value: onHand || '',
      given: { sku: line.sku, line: line.id },
    })),
  );
  new ActionDialog(session, {
    title: `Pack in ${warehouse.name}`,
    about: `Order ${order.number}`,
    send: 'Pack',
    document: PACK,
    fields: lines.fields,
    check: lines.check,
    preview: () =>
      rows.some(({ backordered }) => backordered) ? 'A shipment with units on backorder waits for them.' : '',
    input: (values) => ({ order: order.number, warehouse: warehouse.code, lines: lines.input(values) }),
    done: ({ shipment }) => {
      const offer = shipment.state === 'READY' ? { label: 'Ship…', run: () => ship(session, order, shipment) } : null;
      session.notices.show(done(shipment), offer);
    },
  });
}

const hint = (onHand, backordered) =>
  [onHand && `${number(onHand)} on hand`, backordered && `${number(backordered)} on backorder`]
    .filter(Boolean)
    .join(', ');

const done = ({ number: name, items, warehouse }) =>
  `Shipment ${name} is packed in ${warehouse.name}: ${plural(
    items.reduce((sum, { quantity }) => plus(sum, quantity), 0),
    'unit',
  )}.`;
