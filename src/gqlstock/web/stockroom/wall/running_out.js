// The items that run out next at their recent rate of orders: the server's demand report, reloaded only periodically
// because it reads all items.

import { DEMAND } from '../documents/wall.js';
import { element, sentence } from '../elements/element.js';
import { MINUTE, lasting, number, plural, rounded } from '../elements/figures.js';
import { Refused } from '../client/graphql.js';
import { atMost } from '../client/pace.js';

const MOST = 6;
const PAUSE = 5_000;

export class RunningOut {
  constructor(server, { open }) {
    this.server = server;
    this.open = open;
    this.place = document.getElementById('running-out');
    this.days = document.getElementById('running-out-days');
    this.days.addEventListener('change', () => this.#ask(), { signal: server.signal });
    this.ask = atMost(PAUSE, () => this.#ask());
    const timer = setInterval(() => document.hidden || this.ask(), MINUTE);
    server.signal.addEventListener('abort', () => clearInterval(timer));
  }

  async #ask() {
    const days = Number(this.days.value);
    try {
      const { demandReport } = await this.server.ask(DEMAND, { days });
      if (days === Number(this.days.value)) this.#show(demandReport.nodes);
    } catch (error) {
      if (this.server.signal.aborted || error instanceof Refused) return;
      this.place.replaceChildren(sentence(error.message));
    }
  }

  #show(items) {
    const ordered = items.filter((one) => one.daysOfCover !== null);
    const out = ordered.filter((one) => one.available <= 0);
    const next = ordered.filter((one) => one.available > 0).slice(0, MOST);
    const shown = next.length ? [this.#table(next)] : [sentence(out.length ? ALL_OUT : EMPTY)];
    if (out.length) {
      const count = out.length === items.length ? `${number(out.length)} or more items` : plural(out.length, 'item');
      shown.push(element('p', { class: 'quiet' }, `${count} in demand ${out.length === 1 ? 'is' : 'are'} already out of stock.`));
    }
    this.place.removeAttribute('aria-busy');
    this.place.replaceChildren(...shown);
  }

  #table(items) {
    const head = ['Item', 'Left', 'Per day', 'Lasts'].map((name) => element('th', { scope: 'col' }, name));
    return element(
      'table',
      { 'aria-labelledby': 'running-out-title' },
      element('thead', {}, element('tr', {}, ...head)),
      element('tbody', {}, ...items.map((one) => this.#row(one))),
    );
  }

  #row({ item, available, perDay, daysOfCover, suggestedReorder }) {
    const name = element('button', { class: 'item', type: 'button', click: () => this.open(item) }, item.name);
    const reorder = suggestedReorder > 0 ? `Order ${number(suggestedReorder)} for 30 days` : 'Enough for 30 days';
    return element(
      'tr',
      {},
      element('th', { scope: 'row' }, name, element('span', { class: 'quiet' }, reorder)),
      element('td', { class: 'figure' }, number(available)),
      element('td', { class: 'figure' }, rounded(perDay)),
      element('td', { class: 'figure' }, lasting(daysOfCover)),
    );
  }
}

const EMPTY = 'Nothing was ordered in this period. Try a longer one.';
const ALL_OUT = 'Everything ordered in this period is out of stock.';
