// The columns of the stock page. Up to three warehouses have a column each; from four on there is their total, which a button
// opens.

import { element, mark } from '../../elements/element.js';
import { date, number } from '../../elements/figures.js';
import { itemName } from '../../elements/item_name.js';
import { menuButton } from '../../elements/menu.js';
import { picture } from '../../elements/picture.js';
import { stateOf } from './state.js';

const MOST_COLUMNS = 3;

/** The warehouses with a column of their own: all if there are few, else the one that the list is limited to. */
export function withColumn(warehouses, { warehouse }) {
  return warehouses.length <= MOST_COLUMNS ? warehouses : warehouses.filter(({ code }) => code === warehouse);
}

/**
 * `shown`: the warehouses with a column; `total`: whether there is one of their sum, which `open(id)` shows in parts or not;
 * `isOpen(id)`: whether it is shown in parts. `actions(item)`: what can be done with an item; null if the token may do
 * nothing.
 */
export function columns({ shown, total, isOpen, open, actions }) {
  const warehouses = shown.map(({ code, name }) => ({
    name: 'on-hand',
    head: name,
    unit: 'on hand',
    figure: true,
    text: ({ hasLevels, levels }) => (hasLevels ? number(levels.get(code) ?? 0) : '–'),
  }));
  const sum = {
    name: 'on-hand',
    head: 'On hand',
    figure: true,
    key: ({ id, totals, hasLevels, counted }) => `${totals.onHand} ${hasLevels} ${counted} ${isOpen(id)}`,
    node: (row) => (row.hasLevels ? opener(row, isOpen(row.id), open) : row.counted ? number(row.totals.onHand) : '–'),
  };
  return [
    {
      name: 'picture',
      head: 'Picture',
      unseen: true,
      key: ({ image }) => image ?? '',
      node: ({ image }) => picture(image),
    },
    {
      name: 'item',
      head: 'Item',
      heading: true,
      sorts: [
        { by: 'NAME', label: 'Name' },
        { by: 'SKU', label: 'SKU' },
      ],
      key: ({ item }) => `${item.name} ${item.sku}`,
      node: ({ item }) => itemName(item),
    },
    ...warehouses,
    ...(total ? [sum] : []),
    {
      name: 'available',
      head: 'Available',
      figure: true,
      sorts: [{ by: 'AVAILABLE', label: 'Available' }],
      text: ({ counted, totals }) => (counted ? number(totals.available) : '–'),
    },
    { name: 'backordered', head: 'On backorder', figure: true, text: ({ totals }) => number(totals.backordered) },
    {
      name: 'incoming',
      head: 'Incoming',
      figure: true,
      key: (row) => `${row.totals.incoming} ${row.next && due(row.next)}`,
      node: incoming,
    },
    { name: 'state', head: 'State', key: (row) => `${stateOf(row)}`, node: state },
    ...(actions
      ? [
          {
            name: 'actions',
            head: 'Actions',
            unseen: true,
            key: ({ item }) => JSON.stringify(item),
            node: ({ item }) => menu(item, actions),
          },
        ]
      : []),
  ];
}

function state(row) {
  const known = stateOf(row);
  return known ? mark(...known) : '';
}

const menu = (item, actions) =>
  actions(item).length ? menuButton(`Actions for ${item.name}`, () => actions(item)) : '';

function incoming({ totals, next }) {
  const when =
    next && totals.incoming > 0
      ? element('span', { class: next.overdue ? 'trouble when' : 'quiet when' }, due(next))
      : null;
  return element('div', { class: totals.incoming > 0 ? null : 'nothing' }, number(totals.incoming), when);
}

function due({ at, overdue }) {
  if (!at) return 'no date';
  return overdue ? `overdue, ${date(at)}` : date(at);
}

function opener({ id, totals }, isOpen, open) {
  const attributes = {
    type: 'button',
    class: 'open',
    'aria-expanded': String(isOpen),
    'aria-label': `${number(totals.onHand)} on hand, by warehouse`,
  };
  return element(
    'button',
    { ...attributes, click: () => open(id) },
    number(totals.onHand),
    element('span', { 'aria-hidden': 'true' }, isOpen ? ' ▾' : ' ▸'),
  );
}
