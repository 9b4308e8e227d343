// What is on its way to an item, and who waits for it.

import { nodes } from '../../client/paging.js';
import { address } from '../../client/router.js';
import { ITEM_ANNOUNCEMENTS } from '../../documents/actions.js';
import { WAITING_ORDERS } from '../../documents/item.js';
import { element, say } from '../../elements/element.js';
import { date, minus, number, plural, plus } from '../../elements/figures.js';

export class Coming {
  constructor(session, { sku, signal }) {
    Object.assign(this, { session, sku, signal });
    this.list = element('ul', { class: 'entries', 'aria-labelledby': 'coming-title' });
    this.sum = element('p', { class: 'quiet' });
    this.node = element(
      'section',
      { class: 'card' },
      element('div', { class: 'card-head' }, element('h2', { id: 'coming-title' }, 'Incoming'), this.sum),
      this.list,
    );
  }

  async read() {
    const open = await Array.fromAsync(nodes(this.session.server, ITEM_ANNOUNCEMENTS, { sku: this.sku }, this.signal));
    const units = open.map(left).reduce(plus, 0);
    this.sum.textContent = open.length ? plural(units, 'unit') : '';
    say(this.list, ...(open.length ? open.map(arrival) : [element('li', { class: 'sentence' }, 'Nothing is on its way.')]));
  }
}

const left = ({ quantity, received }) => minus(quantity, received);

function arrival(one) {
  const { received, quantity, expectedAt, overdue, reference, transfer, level } = one;
  const day = expectedAt ? `${overdue ? 'Overdue since' : 'Expected'} ${date(expectedAt)}` : 'No date';
  const about = [
    transfer ? `from ${transfer.from.name}` : null,
    received > 0 ? `${number(received)} of ${number(quantity)} received` : null,
    reference,
  ];
  return element(
    'li',
    {},
    element('span', { class: 'figure' }, number(left(one))),
    element('span', {}, `for ${level.warehouse.name}`),
    element('span', { class: overdue ? 'trouble' : 'quiet' }, day),
    element('span', { class: 'quiet' }, about.filter(Boolean).join(', ')),
  );
}

export class Waiting {
  constructor(session, { sku, signal }) {
    Object.assign(this, { session, sku, signal });
    this.list = element('ul', { class: 'entries', 'aria-labelledby': 'waiting-title' });
    this.heading = element('h2', { id: 'waiting-title', tabindex: '-1' }, 'On backorder');
    this.sum = element('p', { class: 'quiet' });
    this.node = element(
      'section',
      { class: 'card' },
      element('div', { class: 'card-head' }, this.heading, this.sum),
      this.list,
    );
  }

  /** `units`: how many of them wait in all. Orders are read until they have all of these. */
  async read(units) {
    this.sum.textContent = units > 0 ? plural(units, 'unit') : '';
    if (!units) return this.#show([element('li', { class: 'sentence' }, 'Nobody waits for it.')]);
    if (!this.session.may('orders:read'))
      return this.#show([
        element('li', { class: 'sentence' }, 'With the scope orders:read, the orders that wait are here.'),
      ]);
    const found = [];
    let missing = units;
    for await (const order of nodes(this.session.server, WAITING_ORDERS, { sku: this.sku }, this.signal)) {
      // The SKU of a line is that of the time of the order. The item may have another one now.
      for (const line of order.lines.filter(({ item, backordered }) => item?.sku === this.sku && backordered > 0)) {
        found.push({ order, line });
        missing = minus(missing, line.backordered);
      }
      if (missing <= 0) break;
    }
    this.#show(found.map(waiting));
  }

  /** Shows entries. A link keeps the focus; if it is gone, the heading gets it. */
  #show(entries) {
    const focused = this.list.contains(document.activeElement) ? document.activeElement.href : null;
    say(this.list, ...entries);
    if (!focused || this.list.contains(document.activeElement)) return;
    const links = [...this.list.querySelectorAll('a')];
    (links.find(({ href }) => href === focused) ?? this.heading).focus();
  }
}

function waiting({ order, line }) {
  return element(
    'li',
    {},
    element('span', { class: 'figure' }, number(line.backordered)),
    element('a', { href: address('order', { number: order.number }) }, `Order ${order.number}`),
    element(
      'span',
      { class: 'quiet' },
      line.expectedAt ? `can leave ${date(line.expectedAt)}` : 'no stock announced for it',
    ),
    element('span', { class: 'quiet' }, `placed ${date(order.placedAt)}`),
  );
}
