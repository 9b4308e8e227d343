// One order: its lines, where their units are, and its shipments.

import { actionsOfOrder, actionsOfShipment } from '../actions/of_order.js';
import { endingWith } from '../client/ending.js';
import { Refused } from '../client/graphql.js';
import { listen } from '../client/news.js';
import { refreshed } from '../client/refreshed.js';
import { address } from '../client/router.js';
import { ORDER } from '../documents/orders.js';
import { ORDER_NEWS } from '../documents/session.js';
import { element, say, sentence } from '../elements/element.js';
import { date, when } from '../elements/figures.js';
import { linesTable } from './order/lines.js';
import { shipmentsTable } from './order/shipments.js';
import { Orders } from './orders.js';
import { stateMark, stateOf } from './orders/state.js';

export class OrderPage {
  static path = 'order';
  static title = 'Order';
  static scope = 'orders:read';
  static within = Orders;

  #order = null;
  #reading = new AbortController();

  constructor(session, { signal }) {
    Object.assign(this, { session, signal });
    this.title = element('h1', { id: 'order-title', tabindex: '-1' }, 'Order');
    this.state = element('span', { class: 'order-state' });
    this.facts = element('dl', { class: 'facts' });
    this.actions = element('div', { class: 'order-actions' });
    this.said = element('p', { class: 'sentence', role: 'status' }, 'Loading…');
    this.lines = linesTable();
    this.shipments = shipmentsTable({ actions: (id) => this.#ofShipment(id) });
    this.none = sentence('Nothing is packed yet.');
    this.parts = [part('Items', this.lines.node), part('Shipments', this.none, this.shipments.node)];
    this.node = element(
      'div',
      { class: 'order' },
      element(
        'section',
        { class: 'card', 'aria-labelledby': 'order-title' },
        element('p', {}, element('a', { href: address('orders') }, '← Orders')),
        element('div', { class: 'card-head' }, this.title, this.state),
        this.said,
        this.facts,
        this.actions,
      ),
      ...this.parts,
    );
  }

  /** Shows the order of the URL. */
  async update(params) {
    const number = params.get('number') ?? '';
    this.#reading.abort();
    this.#reading = endingWith(this.signal);
    const { signal } = this.#reading;
    const { server } = this.session;
    this.title.textContent = `Order ${number}`;
    const read = async () => {
      const { order } = await server.ask(ORDER, { number }, signal);
      if (!signal.aborted) this.#show(order, number);
    };
    try {
      await read();
      await listen(server, 'orders', ORDER_NEWS, refreshed(this.session, read, signal), signal);
    } catch (error) {
      if (signal.aborted || error instanceof Refused) return;
      say(this.said, error.message);
    }
  }

  #show(order, number) {
    this.#order = order;
    for (const node of [...this.parts, this.facts, this.actions, this.state]) node.hidden = !order;
    say(this.said, ...(order ? [] : [`There is no order ${number} that this token may see.`]));
    if (!order) return;
    document.title = `Order ${order.number} · gqlstock`;
    this.state.replaceChildren(stateMark(stateOf(order)));
    this.facts.replaceChildren(...factsOf(order));
    this.#offer(actionsOfOrder(this.session, order));
    for (const line of order.lines) this.lines.update(line);
    this.lines.show(order.lines);
    for (const shipment of order.shipments) this.shipments.update(shipment);
    this.shipments.show(order.shipments);
    this.none.hidden = order.shipments.length > 0;
    this.shipments.node.hidden = !order.shipments.length;
  }

  /** Shows a button for each action. The buttons stay while the actions are the same: one may have the focus. */
  #offer(actions) {
    const labels = actions.map(({ label }) => label);
    const shown = [...this.actions.children].map(({ textContent }) => textContent);
    if (labels.join() === shown.join()) return;
    const had = this.actions.contains(document.activeElement) ? document.activeElement.textContent : null;
    const run = (label) =>
      actionsOfOrder(this.session, this.#order)
        .find((one) => one.label === label)
        ?.run();
    const buttons = actions.map(({ label, isForward }, index) =>
      element(
        'button',
        { type: 'button', class: isForward && !index ? 'first' : null, click: () => run(label) },
        label,
      ),
    );
    this.actions.replaceChildren(...buttons);
    if (had !== null) (buttons.find(({ textContent }) => textContent === had) ?? this.title).focus();
  }

  #ofShipment(id) {
    const shipment = this.#order.shipments.find((one) => one.id === id);
    return shipment ? actionsOfShipment(this.session, this.#order, shipment) : [];
  }
}

const part = (title, ...content) =>
  element('section', { class: 'card', hidden: true }, element('h2', {}, title), ...content);

function factsOf({ placedAt, customerEmail, website, reference, expectedAt, promisedAt, canceledAt }) {
  const facts = [
    ['Placed', when(placedAt)],
    ['Customer', customerEmail],
    ['Website', website.name],
    ['Reference', reference],
    ['Promised', promisedAt && date(promisedAt)],
    ['Expected', expectedAt && date(expectedAt)],
    ['Canceled', canceledAt && when(canceledAt)],
  ];
  const known = facts.filter(([, value]) => value);
  return known.map(([name, value]) => element('div', {}, element('dt', {}, name), element('dd', {}, value)));
}
