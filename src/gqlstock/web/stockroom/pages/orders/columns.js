// The columns of the list of orders.

import { totals, waiting } from '../../actions/orders/units.js';
import { address } from '../../client/router.js';
import { element } from '../../elements/element.js';
import { number, when } from '../../elements/figures.js';
import { menuButton } from '../../elements/menu.js';
import { expectedWords, stateMark, stateOf, waitingFigure } from './state.js';

const NAMED = 2;

/** `actions(id)` returns what can be done with an order now; null if the token may do nothing. */
export function columns({ actions }) {
  return [
    {
      name: 'item',
      head: 'Order',
      heading: true,
      key: ({ number: name, reference }) => `${name} ${reference}`,
      node: ({ number: name, reference }) =>
        element(
          'div',
          {},
          element('a', { class: 'name', href: address('order', { number: name }) }, name),
          reference ? element('span', { class: 'quiet sku' }, reference) : null,
        ),
    },
    { name: 'text placed', head: 'Placed', text: ({ placedAt }) => when(placedAt) },
    {
      name: 'text customer',
      head: 'Customer',
      key: ({ customerEmail }) => customerEmail ?? '',
      node: ({ customerEmail }) => (customerEmail ? mail(customerEmail) : '–'),
    },
    { name: 'text contents', head: 'Items', text: ({ lines }) => contents(lines) },
    { name: 'text from', head: 'From', text: (order) => from(order) },
    { name: 'to-ship', head: 'To ship', figure: true, text: (order) => number(totals(order).toShip) },
    {
      name: 'backordered',
      head: 'On backorder',
      figure: true,
      key: (order) => `${totals(order).backordered} ${expectedWords(order.expectedAt)}`,
      node: (order) => waitingFigure(totals(order).backordered, order.expectedAt),
    },
    { name: 'state', head: 'State', key: (order) => stateOf(order).join(), node: (order) => stateMark(stateOf(order)) },
    ...(actions
      ? [
          {
            name: 'actions',
            head: 'Actions',
            unseen: true,
            key: () => '',
            node: ({ id, number: name }) => menuButton(`Actions for order ${name}`, () => actions(id)),
          },
        ]
      : []),
  ];
}

/** An e-mail address, which may break after its @. */
function mail(text) {
  const end = text.lastIndexOf('@') + 1;
  return element('span', {}, text.slice(0, end), element('wbr'), text.slice(end));
}

/** The first lines, such as "2 × Mug, Kettle and 3 more". */
function contents(lines) {
  const named = lines
    .slice(0, NAMED)
    .map(({ name, quantity }) => (quantity === 1 ? name : `${number(quantity)} × ${name}`));
  const more = lines.length - named.length;
  return named.join(', ') + (more ? ` and ${number(more)} more` : '');
}

/** The warehouses of the units that have not left. */
const from = (order) => [...new Set(waiting(order).map(({ warehouse }) => warehouse.name))].join(', ') || '–';
