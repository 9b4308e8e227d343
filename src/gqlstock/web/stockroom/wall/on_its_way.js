// Incoming stock, soonest first, with overdue announcements at the top. Reloaded periodically and when orders change,
// because their dates depend on it.

import { ON_ITS_WAY } from '../documents/wall.js';
import { element, mark, sentence } from '../elements/element.js';
import { number, plural, when } from '../elements/figures.js';
import { Refused } from '../client/graphql.js';
import { atMost } from '../client/pace.js';

const PAUSE = 5_000;
const PERIOD = 15_000;
const EMPTY = 'Nothing is on its way.';

export class OnItsWay {
  constructor(server, { open }) {
    this.server = server;
    this.open = open;
    this.place = document.getElementById('on-its-way');
    this.count = document.getElementById('on-its-way-count');
    this.ask = atMost(PAUSE, () => this.#ask());
    const timer = setInterval(() => document.hidden || this.ask(), PERIOD);
    server.signal.addEventListener('abort', () => clearInterval(timer));
  }

  async #ask() {
    try {
      this.#show(await this.server.ask(ON_ITS_WAY));
    } catch (error) {
      if (this.server.signal.aborted || error instanceof Refused) return;
      this.place.replaceChildren(sentence(error.message));
    }
  }

  #show({ open, overdue }) {
    const late = overdue.totalCount ? `, ${number(overdue.totalCount)} overdue` : '';
    this.count.textContent = open.totalCount ? `${plural(open.totalCount, 'announcement')}${late}` : '';
    this.place.removeAttribute('aria-busy');
    this.place.replaceChildren(open.nodes.length ? this.#table(open.nodes) : sentence(EMPTY));
  }

  #table(announcements) {
    const head = ['Item', 'To', 'Expected', 'Still to come', 'Waiting'];
    return element(
      'table',
      { 'aria-labelledby': 'on-its-way-title' },
      element('thead', {}, element('tr', {}, ...head.map((name, at) => element('th', { scope: 'col', class: FIGURES[at] }, name)))),
      element('tbody', {}, ...announcements.map((one) => this.#row(one))),
    );
  }

  #row({ quantity, received, expectedAt, overdue, reference, level: { item, warehouse, backordered } }) {
    const name = element('button', { class: 'item', type: 'button', click: () => this.open(item) }, item.name);
    const moment = expectedAt ? when(expectedAt) : 'No date';
    return element(
      'tr',
      {},
      element('th', { scope: 'row' }, name, element('span', { class: 'quiet' }, reference ?? item.sku)),
      element('td', {}, warehouse.name),
      element('td', {}, overdue ? mark('out', `Overdue since ${moment}`) : moment),
      element('td', { class: 'figure' }, number(quantity - received)),
      element('td', { class: 'figure' }, number(backordered)),
    );
  }
}

const FIGURES = [null, null, null, 'figure', 'figure'];
