// The tiles of the overview: what needs attention, each a figure that leads to what it counts.

import { Refused, ServerError } from '../../client/graphql.js';
import { address } from '../../client/router.js';
import { ARRIVING_UNITS, BACKORDERED_UNITS, COUNT_ITEMS, COUNT_ORDERS } from '../../documents/overview.js';
import { element, light } from '../../elements/element.js';
import { HOUR, minus, number, plural, plus } from '../../elements/figures.js';

const DAYS = 7;
const AT_ONCE = 250;
const MOST = 1_000;

/**
 * A tile: `label`; `url(now)`; `read(server, now, signal)` returns `{ figure, words }`; `urgent`: above 0, it is to be seen.
 */
export class Tile {
  constructor(session, { label, url, read, urgent = false }, signal) {
    Object.assign(this, { server: session.server, url, count: read, urgent, signal });
    this.figure = element('span', { class: 'tile-figure' }, '…');
    this.words = element('span', { class: 'quiet' });
    this.node = element(
      'a',
      { class: 'tile', href: url(this.server.now()) },
      element('span', { class: 'tile-label' }, label),
      this.figure,
      this.words,
    );
  }

  async read() {
    try {
      const now = this.server.now();
      const { figure, words = '' } = await this.count(this.server, now, this.signal);
      // The list of the period that was counted.
      this.node.href = this.url(now);
      const isFirst = this.figure.textContent === '…';
      if (this.figure.textContent === number(figure) && this.words.textContent === words) return;
      this.figure.textContent = number(figure);
      this.words.textContent = words;
      this.node.toggleAttribute('data-urgent', this.urgent && figure > 0);
      this.node.toggleAttribute('data-none', figure === 0);
      if (!isFirst) light(this.node);
    } catch (error) {
      if (this.signal.aborted || error instanceof Refused) return;
      if (!(error instanceof ServerError)) throw error;
      this.words.textContent = error.message;
    }
  }
}

const leadTo = (path, params) => () => address(path, params);
const days = (count) => count * 24 * HOUR;
const time = (milliseconds) => new Date(milliseconds).toISOString();
const midnight = (now) => new Date(now).setHours(0, 0, 0, 0);

export const STOCK = [
  { label: 'Out of stock', url: leadTo('stock', { show: 'out' }), urgent: true, read: items({ outOfStock: true }) },
  { label: 'Low', url: leadTo('stock', { show: 'low' }), urgent: true, read: items({ low: true }) },
  { label: 'On backorder', url: leadTo('stock', { show: 'backorder' }), urgent: true, read: backordered },
  {
    label: `Arriving in ${DAYS} days`,
    url: (now) => address('incoming', { since: time(now), until: time(now + days(DAYS)) }),
    read: announced((now) => ({ open: true, expectedFrom: time(now), expectedUntil: time(now + days(DAYS)) })),
  },
  {
    label: 'Overdue',
    url: leadTo('incoming', { show: 'overdue' }),
    urgent: true,
    read: announced(() => ({ overdue: true })),
  },
];

export const ORDERS = [{ label: 'Orders to ship', url: leadTo('orders'), read: orders(() => ({ toShip: true })) }];

export const PLACED = [
  placed('Today', midnight),
  placed('In 7 days', (now) => now - days(7)),
  placed('In 30 days', (now) => now - days(30)),
];

function placed(label, since) {
  return {
    label,
    url: (now) => address('orders', { show: 'all', since: time(since(now)) }),
    read: orders((now) => ({ placedSince: time(since(now)) })),
  };
}

function items(filter) {
  return async (server, now, signal) => {
    const { inventoryItems } = await server.ask(COUNT_ITEMS, { filter }, signal);
    return { figure: inventoryItems.totalCount, words: inventoryItems.totalCount === 1 ? 'item' : 'items' };
  };
}

function orders(filter) {
  return async (server, now, signal) => {
    const { orders } = await server.ask(COUNT_ORDERS, { filter: filter(now) }, signal);
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

function backordered(server, now, signal) {
  // The units of a product with options are those of its combinations, which are in the list as well.
  const unitsOf = ({ tracking, inventoryTotals }) =>
    tracking === 'TRACK_WITH_OPTIONS' ? null : inventoryTotals.backordered;
  return units(server, { document: BACKORDERED_UNITS, variables: {}, unitsOf, one: 'item', many: 'items' }, signal);
}

function announced(filter) {
  const unitsOf = ({ quantity, received }) => minus(quantity, received);
  const words = { one: 'delivery', many: 'deliveries' };
  return (server, now, signal) =>
    units(server, { document: ARRIVING_UNITS, variables: { filter: filter(now) }, unitsOf, ...words }, signal);
}
