// The tiles of the overview: what needs somebody, each a figure that leads to what is behind it.

import { Refused, Told } from '../../client/graphql.js';
import { address } from '../../client/router.js';
import { ARRIVING_UNITS, BACKORDERED_UNITS, COUNT_ITEMS, COUNT_ORDERS } from '../../documents/overview.js';
import { element, light } from '../../elements/element.js';
import { HOUR, minus, number, plural, plus } from '../../elements/figures.js';

const DAYS = 7;
const AT_ONCE = 250;
const MOST = 1_000;

/** A tile: `label`, `url`; `read(server, signal)` returns `{ figure, words }`; `urgent`: above 0, it is to be seen. */
export class Tile {
  constructor(session, { label, url, read, urgent = false }, signal) {
    Object.assign(this, { session, count: read, urgent, signal });
    this.figure = element('span', { class: 'tile-figure' }, '…');
    this.words = element('span', { class: 'quiet' });
    this.node = element(
      'a',
      { class: 'tile', href: url },
      element('span', { class: 'tile-label' }, label),
      this.figure,
      this.words,
    );
  }

  async read() {
    try {
      const { figure, words = '' } = await this.count(this.session.server, this.signal);
      const isFirst = this.figure.textContent === '…';
      if (this.figure.textContent === number(figure) && this.words.textContent === words) return;
      this.figure.textContent = number(figure);
      this.words.textContent = words;
      this.node.toggleAttribute('data-urgent', this.urgent && figure > 0);
      this.node.toggleAttribute('data-none', figure === 0);
      if (!isFirst) light(this.node);
    } catch (error) {
      if (this.signal.aborted || error instanceof Refused) return;
      if (!(error instanceof Told)) throw error;
      this.words.textContent = error.message;
    }
  }
}

export const STOCK = [
  { label: 'Out of stock', url: address('stock', { show: 'out' }), urgent: true, read: items({ outOfStock: true }) },
  { label: 'Low', url: address('stock', { show: 'low' }), urgent: true, read: items({ low: true }) },
  { label: 'On backorder', url: address('stock', { show: 'backorder' }), urgent: true, read: backordered },
  { label: `Arriving in ${DAYS} days`, url: address('incoming'), read: arriving },
  { label: 'Overdue', url: address('incoming', { show: 'overdue' }), urgent: true, read: overdue },
];

export const ORDERS = [{ label: 'Orders to ship', url: address('orders'), read: orders(() => ({ toShip: true })) }];

export const PLACED = [
  { label: 'Today', url: address('orders', { show: 'all' }), read: orders(() => ({ placedSince: today() })) },
  {
    label: 'In 7 days',
    url: address('orders', { show: 'all' }),
    read: orders((now) => ({ placedSince: ago(now, 7) })),
  },
  {
    label: 'In 30 days',
    url: address('orders', { show: 'all' }),
    read: orders((now) => ({ placedSince: ago(now, 30) })),
  },
];

function items(filter) {
  return async (server, signal) => {
    const { inventoryItems } = await server.ask(COUNT_ITEMS, { filter }, signal);
    return { figure: inventoryItems.totalCount, words: inventoryItems.totalCount === 1 ? 'item' : 'items' };
  };
}

function orders(filter) {
  return async (server, signal) => {
    const { orders } = await server.ask(COUNT_ORDERS, { filter: filter(server.now()) }, signal);
    return { figure: orders.totalCount, words: orders.totalCount === 1 ? 'order' : 'orders' };
  };
}

/** The units of a list, or only how many entries it has if these are many: reading them all would take too long. */
async function units(server, { document, variables, unitsOf, one, many }, signal) {
  const found = [];
  let after = null;
  do {
    const [list] = Object.values(await server.ask(document, { ...variables, first: AT_ONCE, after }, signal));
    if (list.totalCount > MOST) return { figure: list.totalCount, words: many };
    found.push(...list.nodes.map(unitsOf).filter((quantity) => quantity !== null));
    after = list.pageInfo.hasNextPage ? list.pageInfo.endCursor : null;
  } while (after);
  const figure = found.reduce(plus, 0);
  const unit = figure === 1 ? 'unit' : 'units';
  return { figure, words: figure ? `${unit}, ${plural(found.length, one, many)}` : unit };
}

function backordered(server, signal) {
  // The units of a product with options are those of its combinations, which are in the list as well.
  const unitsOf = ({ tracking, inventoryTotals }) =>
    tracking === 'TRACK_WITH_OPTIONS' ? null : inventoryTotals.backordered;
  return units(server, { document: BACKORDERED_UNITS, variables: {}, unitsOf, one: 'item', many: 'items' }, signal);
}

function arriving(server, signal) {
  const now = server.now();
  return announced(
    server,
    { open: true, expectedFrom: new Date(now).toISOString(), expectedUntil: ago(now, -DAYS) },
    signal,
  );
}

function overdue(server, signal) {
  return announced(server, { overdue: true }, signal);
}

function announced(server, filter, signal) {
  const unitsOf = ({ quantity, received }) => minus(quantity, received);
  const words = { one: 'delivery', many: 'deliveries' };
  return units(server, { document: ARRIVING_UNITS, variables: { filter }, unitsOf, ...words }, signal);
}

const ago = (now, days) => new Date(now - days * 24 * HOUR).toISOString();

function today() {
  const midnight = new Date();
  midnight.setHours(0, 0, 0, 0);
  return midnight.toISOString();
}
