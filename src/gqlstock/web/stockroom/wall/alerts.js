// Low-inventory alerts: unacknowledged ones first, then acknowledged ones, then some resolved ones.

import { ACKNOWLEDGE } from '../documents/session.js';
import { ALERTS } from '../documents/wall.js';
import { arrange, element, mark, sentence } from '../elements/element.js';
import { number, plural, when } from '../elements/figures.js';
import { Refused } from '../client/graphql.js';
import { atMost } from '../client/pace.js';

const PAUSE = 500;
const MOST_TOLD = 3;

export class Alerts {
  #entries = new Map();
  #known = null;

  /** `open` shows an item's history; `mayAcknowledge` adds buttons. */
  constructor(server, { open, mayAcknowledge }) {
    this.server = server;
    this.open = open;
    this.mayAcknowledge = mayAcknowledge;
    this.list = document.getElementById('alerts-list');
    this.count = document.getElementById('alerts-count');
    this.announcement = document.getElementById('alerts-announcement');
    this.trouble = document.getElementById('alerts-trouble');
    document.getElementById('alerts-scope').hidden = mayAcknowledge;
    this.ask = atMost(PAUSE, () => this.#ask());
  }

  async #ask() {
    try {
      this.#show(await this.server.ask(ALERTS));
    } catch (error) {
      this.#complain(error);
    }
  }

  #show({ waiting, taken, resolved }) {
    const open = waiting.totalCount + taken.totalCount;
    const shown = [...waiting.nodes, ...taken.nodes, ...resolved.nodes];
    this.count.textContent = open ? `${number(open)} open` : 'none open';
    document.title = waiting.totalCount ? `(${number(waiting.totalCount)}) Stock · gqlstock` : 'Stock · gqlstock';
    const left = open - waiting.nodes.length - taken.nodes.length;
    const nodes = shown.map((alert) => this.#entry(alert));
    if (left > 0) nodes.push(element('li', { class: 'sentence' }, `And ${plural(left, 'older one')}.`));
    if (!shown.length) nodes.push(element('li', {}, sentence(EMPTY)));
    arrange(this.list, nodes);
    this.list.removeAttribute('aria-busy');
    this.#entries = new Map([...this.#entries].filter(([, node]) => node.isConnected));
    this.#tell(waiting.nodes);
  }

  /** Reuses the node of an alert until the alert changes. */
  #entry(alert) {
    const key = [alert.id, alert.acknowledgedAt, alert.resolvedAt].join();
    if (!this.#entries.has(key)) this.#entries.set(key, this.#made(alert));
    return this.#entries.get(key);
  }

  #made(alert) {
    const [state, word] = stateOf(alert);
    const name = alert.item.name;
    const open = element('button', { class: 'item', type: 'button', click: () => this.open(alert.item) }, name);
    const where = alert.warehouse ? alert.warehouse.name : 'all warehouses';
    return element(
      'li',
      { class: 'alert', 'data-state': state },
      element('div', { class: 'alert-head' }, open, mark(state, word)),
      element(
        'div',
        { class: 'quiet' },
        element('p', {}, `${number(alert.quantityLeft)} left in ${where} at ${when(alert.raisedAt)}`),
        element('p', {}, `Alert below ${number(alert.threshold)}`),
        outcome(alert),
      ),
      state === 'low' && this.mayAcknowledge ? this.#button(alert) : null,
    );
  }

  #button(alert) {
    const acknowledge = async (event) => {
      const button = event.currentTarget;
      button.disabled = true;
      try {
        const answer = await this.server.change(ACKNOWLEDGE, { id: alert.id });
        const [error] = answer.acknowledgeLowInventoryAlert.userErrors;
        this.#complain(error ?? null);
        document.getElementById('alerts-title').focus();
        this.ask();
      } catch (error) {
        this.#complain(error);
        button.disabled = false;
      }
    };
    const label = `Acknowledge the alert for ${alert.item.name}`;
    return element('button', { type: 'button', 'aria-label': label, click: acknowledge }, 'Acknowledge');
  }

  /** Announces new alerts to screen readers. */
  #tell(waiting) {
    const fresh = this.#known ? waiting.filter((alert) => !this.#known.has(alert.id)) : [];
    this.#known = new Set([...(this.#known ?? []), ...waiting.map((alert) => alert.id)]);
    if (!fresh.length) return;
    const words = fresh.slice(0, MOST_TOLD).map((a) => `${a.item.name} is low: ${number(a.quantityLeft)} left.`);
    if (fresh.length > MOST_TOLD) words.push(`${plural(fresh.length - MOST_TOLD, 'more alert')}.`);
    this.announcement.textContent = words.join(' ');
  }

  #complain(error) {
    if (this.server.signal.aborted || error instanceof Refused) return;
    this.trouble.textContent = error?.message ?? '';
  }
}

const EMPTY = 'No item is low. An alert opens when fewer of an item are available than its setting “Alert below”.';

function stateOf(alert) {
  if (alert.resolvedAt) return ['resolved', 'Resolved'];
  return alert.acknowledgedAt ? ['taken', 'Acknowledged'] : ['low', 'Low'];
}

function outcome({ acknowledgedAt, acknowledgedBy, resolvedAt }) {
  if (resolvedAt) return element('p', {}, `Back in stock since ${when(resolvedAt)}`);
  if (acknowledgedAt) return element('p', {}, `Acknowledged by ${acknowledgedBy}, ${when(acknowledgedAt)}`);
  return null;
}
