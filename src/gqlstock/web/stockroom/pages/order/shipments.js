// The shipments of an order.

import { element } from '../../elements/element.js';
import { number, when } from '../../elements/figures.js';
import { Table } from '../../elements/table.js';
import { SHIPMENT_STATES, stateMark } from '../orders/state.js';

/** `actions(id)` returns what can be done with a shipment now. */
export function shipmentsTable({ actions }) {
  return new Table({
    label: 'Shipments',
    columns: [
      { name: 'item', head: 'Shipment', heading: true, text: ({ number: name }) => name },
      { name: 'text from', head: 'From', text: ({ warehouse }) => warehouse.name },
      {
        name: 'text contents',
        head: 'Items',
        text: ({ items }) => items.map(({ line, quantity }) => `${number(quantity)} × ${line.name}`).join(', ') || '–',
      },
      {
        name: 'text tracking',
        head: 'Carrier and tracking',
        text: ({ carrier, trackingNumber }) => [carrier, trackingNumber].filter(Boolean).join(' ') || '–',
      },
      {
        name: 'text date',
        head: 'When',
        text: ({ createdAt, shippedAt }) => (shippedAt ? `shipped ${when(shippedAt)}` : `packed ${when(createdAt)}`),
      },
      {
        name: 'state',
        head: 'State',
        key: ({ state }) => state,
        node: ({ state }) => stateMark(SHIPMENT_STATES[state]),
      },
      {
        name: 'actions',
        head: 'Actions',
        unseen: true,
        key: ({ id }) =>
          actions(id)
            .map(({ label }) => label)
            .join(),
        node: ({ id, number: name }) =>
          buttons(name, actions(id), (label) => actions(id).find((one) => one.label === label)),
      },
    ],
  });
}

/** A button for each action. It runs the action as it is when it is clicked. */
function buttons(name, offered, current) {
  const button = ({ label }) =>
    element('button', { type: 'button', 'aria-label': `${label} ${name}`, click: () => current(label)?.run() }, label);
  return element('div', { class: 'row-buttons' }, ...offered.map(button));
}
