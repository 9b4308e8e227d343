// The columns of the list of what is on its way.

import { mark } from '../../elements/element.js';
import { clock, date, minus, number } from '../../elements/figures.js';
import { itemName } from '../../elements/item_name.js';
import { menuButton } from '../../elements/menu.js';

/** `actions(id)` returns what can be done with an announcement now; null if the token may do nothing. */
export function columns({ actions }) {
  return [
    {
      name: 'item',
      head: 'Item',
      heading: true,
      key: ({ level: { item } }) => `${item.name} ${item.sku}`,
      node: ({ level: { item } }) => itemName(item),
    },
    { name: 'text expected', head: 'Expected', text: expected },
    {
      name: 'state',
      head: 'State',
      key: ({ overdue, received }) => `${overdue} ${received > 0}`,
      node: (row) => mark(...stateOf(row)),
    },
    { name: 'text to', head: 'To', text: ({ level }) => level.warehouse.name },
    { name: 'text delivery', head: 'Delivery', text: delivery },
    {
      name: 'missing',
      head: 'To come',
      figure: true,
      text: ({ quantity, received }) => number(minus(quantity, received)),
    },
    { name: 'received', head: 'Received', figure: true, text: ({ received }) => number(received) },
    { name: 'backordered', head: 'On backorder', figure: true, text: ({ level }) => number(level.backordered) },
    ...(actions
      ? [
          {
            name: 'actions',
            head: 'Actions',
            unseen: true,
            key: ({ level }) => level.item.name,
            node: ({ id, level }) => menuButton(`Actions for ${level.item.name}`, () => actions(id)),
          },
        ]
      : []),
  ];
}

function stateOf({ overdue, received }) {
  if (overdue) return ['low', 'Overdue'];
  return received > 0 ? ['enough', 'Partly received'] : ['enough', 'On its way'];
}

/** The day, and the time if it is today: that is what makes it overdue. */
function expected({ expectedAt }) {
  if (!expectedAt) return 'no date';
  return date(expectedAt) === 'today' ? `today, ${clock(new Date(expectedAt))}` : date(expectedAt);
}

const delivery = ({ transfer, reference }) =>
  [transfer && `Transfer ${transfer.number} from ${transfer.from.name}`, reference].filter(Boolean).join(', ') || '–';
