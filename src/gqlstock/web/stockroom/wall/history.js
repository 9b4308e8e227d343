// The history of one item in a dialog: its ledger as a plot and as the table behind it.

import { MOVEMENTS, MOVEMENT_CHANGES } from '../documents/wall.js';
import { element } from '../elements/element.js';
import { endingWith } from '../client/ending.js';
import { number, plural, second, signed, spoken, when } from '../elements/figures.js';
import { Refused } from '../client/graphql.js';
import { readAndSubscribe } from '../client/news.js';
import { perFrame } from '../client/pace.js';
import { plot, sample, style } from '../elements/stock_plot.js';

const NARROWEST = 280;

export class History {
  #item = null;
  #movements = [];
  #levels = new Map();
  #earlier = null;
  #shown = new AbortController();

  /** `orders`: whether the token may see orders. */
  constructor(server, { orders }) {
    this.server = server;
    this.orders = orders;
    this.dialog = document.getElementById('history');
    this.title = document.getElementById('history-title');
    this.sku = document.getElementById('history-sku');
    this.picture = document.getElementById('history-plot');
    this.legend = document.getElementById('history-legend');
    this.rows = document.getElementById('history-rows');
    this.said = document.getElementById('history-said');
    this.more = document.getElementById('history-earlier');
    this.draw = perFrame(() => this.#draw());
    const { signal } = server;
    const close = () => this.dialog.close();
    document.getElementById('history-close').addEventListener('click', close, { signal });
    signal.addEventListener('abort', close);
    this.dialog.addEventListener('close', () => this.#shown.abort(), { signal });
    this.more.addEventListener('click', () => this.#readEarlier(), { signal });
    const sized = new ResizeObserver(() => this.draw());
    sized.observe(this.picture);
    signal.addEventListener('abort', () => sized.disconnect());
  }

  /** Shows an item and follows its changes until the dialog is closed. */
  async open(item) {
    this.#shown = endingWith(this.server.signal);
    const { signal } = this.#shown;
    this.#item = item;
    this.#clear();
    this.dialog.showModal();
    const variables = { sku: item.sku, orders: this.orders };
    const read = async () => {
      const found = await this.server.ask(MOVEMENTS, variables, signal);
      this.#movements = found.stockMovements.nodes;
      this.#levels = new Map(found.inventoryLevels.nodes.map((level) => [level.warehouse.code, level]));
      this.#page(found.stockMovements.pageInfo);
      this.draw();
      return variables;
    };
    const next = ({ level, movement }) => {
      this.#levels.set(level.warehouse.code, level);
      const known = movement && this.#movements.some(({ id }) => id === movement.id);
      if (movement && !known) this.#movements.unshift(movement);
      this.draw();
    };
    try {
      await readAndSubscribe(this.server, MOVEMENT_CHANGES, { read, next, signal });
    } catch (error) {
      if (!signal.aborted && !(error instanceof Refused)) this.said.textContent = error.message;
    }
  }

  async #readEarlier() {
    const { signal } = this.#shown;
    this.more.disabled = true;
    try {
      const variables = { sku: this.#item.sku, after: this.#earlier, orders: this.orders };
      const { stockMovements } = await this.server.ask(MOVEMENTS, variables, signal);
      this.#movements.push(...stockMovements.nodes);
      this.#page(stockMovements.pageInfo);
      this.draw();
    } catch (error) {
      if (!signal.aborted && !(error instanceof Refused)) this.said.textContent = error.message;
    }
    this.more.disabled = false;
  }

  #page({ hasNextPage, endCursor }) {
    this.#earlier = endCursor;
    this.more.hidden = !hasNextPage;
  }

  #clear() {
    this.#movements = [];
    this.#levels = new Map();
    this.title.textContent = this.#item.name;
    this.sku.textContent = this.#item.sku;
    this.said.textContent = 'Loading the ledger…';
    this.more.hidden = true;
    for (const part of [this.picture, this.legend, this.rows]) part.replaceChildren();
  }

  #draw() {
    if (!this.dialog.open || !this.#levels.size) return;
    const lines = this.#lines();
    const until = this.server.now();
    const since = this.#movements.length ? Date.parse(this.#movements.at(-1).createdAt) : until;
    this.said.textContent = this.#movements.length
      ? `${plural(this.#movements.length, 'movement')} since ${when(since)}${this.more.hidden ? ', all of them' : ''}.`
      : 'No movements yet.';
    const now = lines.map(({ name, points }) => `${name} ${number(points.at(-1).value)}`).join(', ');
    const label = `On hand over time, by warehouse. Now: ${now}. The table lists every movement.`;
    const width = Math.max(this.picture.clientWidth, NARROWEST);
    this.picture.replaceChildren(plot(lines, { since, until, width, label }));
    this.legend.replaceChildren(...lines.map(legend));
    this.rows.replaceChildren(...this.#movements.map(row));
  }

  /** For each warehouse, the quantity on hand before the first known movement and after each. */
  #lines() {
    const since = this.#movements.length ? Date.parse(this.#movements.at(-1).createdAt) : this.server.now();
    return [...this.#levels.values()].map((level, index) => {
      const mine = this.#movements.filter((one) => one.level.warehouse.code === level.warehouse.code).toReversed();
      const before = mine.length ? mine[0].onHandAfter - mine[0].quantity : level.onHand;
      const after = mine.map((one) => ({ at: Date.parse(one.createdAt), value: one.onHandAfter }));
      return {
        name: level.warehouse.name,
        level,
        style: style(index),
        points: [{ at: since, value: before }, ...after],
      };
    });
  }
}

function legend({ name, style, level: { onHand, available } }) {
  return element('li', {}, sample(style), `${name}: ${number(onHand)} on hand, ${number(available)} available`);
}

function row({ createdAt, kind, quantity, onHandAfter, reason, actor, order, level }) {
  const why = [order ? `Order ${order.number}` : null, reason].filter(Boolean).join(', ');
  return element(
    'tr',
    {},
    element('td', { class: 'moment' }, element('time', { datetime: createdAt }, second(createdAt))),
    element('td', {}, level.warehouse.name),
    element('td', {}, spoken(kind), why ? element('span', { class: 'quiet' }, why) : null),
    element('td', { class: 'figure' }, signed(quantity)),
    element('td', { class: 'figure' }, number(onHandAfter)),
    element('td', {}, actor),
  );
}
