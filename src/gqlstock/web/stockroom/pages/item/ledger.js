// The ledger of an item: every change of its stock, page by page, latest first. A page is read again when the stock changes.

import { address } from '../../client/router.js';
import { LEDGER } from '../../documents/item.js';
import { element } from '../../elements/element.js';
import { number, plural, second, signed, spoken } from '../../elements/figures.js';
import { Pager } from '../../elements/pager.js';
import { Table } from '../../elements/table.js';

const SIZE = 25;

export class Ledger {
  #requests = 0;

  constructor(session, { sku, signal }) {
    Object.assign(this, { session, sku, signal });
    this.orders = session.may('orders:read');
    this.table = new Table({ label: 'Ledger, latest first', columns: COLUMNS });
    this.count = element('p', { class: 'quiet' });
    this.said = element('p', { class: 'sentence' }, 'Loading the ledger…');
    this.pager = new Pager('Pages of the ledger');
    this.node = element(
      'section',
      { class: 'card ledger', 'aria-labelledby': 'ledger-title' },
      element('div', { class: 'card-head' }, element('h2', { id: 'ledger-title', tabindex: '-1' }, 'Ledger'), this.count),
      this.said,
      this.table.node,
      this.pager.node,
    );
  }

  /** Shows the page of the URL, whose cursor is in it. */
  async read(params = this.params) {
    this.params = params;
    const request = (this.#requests += 1);
    const { after, before, page } = place(params);
    const part = before ? { last: SIZE, before } : { first: SIZE, after };
    const { stockMovements } = await this.session.server.ask(
      LEDGER,
      { sku: this.sku, orders: this.orders, ...part },
      this.signal,
    );
    // Meanwhile somebody may have gone to another page.
    if (request !== this.#requests) return;
    this.#show(stockMovements);
    this.#turn(page, stockMovements);
  }

  #show({ nodes: movements, totalCount }) {
    this.table.show(movements);
    this.table.node.hidden = !movements.length;
    this.count.textContent = totalCount ? plural(totalCount, 'movement') : '';
    this.said.textContent = movements.length ? '' : 'Nothing has been counted, received or sold yet.';
    this.said.hidden = movements.length > 0;
  }

  #turn(page, { totalCount, pageInfo }) {
    this.pager.show({
      page,
      size: SIZE,
      total: totalCount,
      pageInfo,
      url: (parameters) => address('item', { ...this.#kept(), ...parameters }),
    });
  }

  /** What stays in the URL on another page. */
  #kept() {
    return { sku: this.sku, range: this.params.get('range'), website: this.params.get('website') };
  }
}

function place(params) {
  const page = Math.max(Number.parseInt(params.get('page'), 10) || 1, 1);
  return { after: params.get('after'), before: params.get('before'), page };
}

const COLUMNS = [
  {
    name: 'moment',
    head: 'When',
    key: ({ createdAt }) => createdAt,
    node: ({ createdAt }) => element('time', { datetime: createdAt }, second(createdAt)),
  },
  { name: 'what', head: 'What', heading: true, key: ({ id }) => id, node: what },
  { name: 'warehouse', head: 'Warehouse', text: ({ level }) => level.warehouse.name },
  { name: 'change', head: 'Change', figure: true, text: ({ quantity }) => signed(quantity) },
  { name: 'after', head: 'On hand', figure: true, text: ({ onHandAfter }) => number(onHandAfter) },
  { name: 'actor', head: 'By', text: ({ actor }) => actor },
];

function what({ kind, order, reason, reference }) {
  const link = order && element('a', { href: address('order', { number: order.number }) }, `Order ${order.number}`);
  const why = [reason, reference].filter(Boolean).join(', ');
  return element(
    'div',
    {},
    spoken(kind),
    link || why ? element('span', { class: 'quiet why' }, link, link && why ? ', ' : null, why || null) : null,
  );
}
