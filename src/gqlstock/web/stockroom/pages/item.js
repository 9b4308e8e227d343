// The page of an item: what is there, how it came to that, why it can be ordered or not, and what to do about it.

import { actionsOf } from '../actions/of_item.js';
import { endingWith } from '../client/ending.js';
import { Refused, Told } from '../client/graphql.js';
import { listen, live } from '../client/news.js';
import { atMost } from '../client/pace.js';
import { nodes } from '../client/paging.js';
import { ITEM_LEVELS } from '../documents/actions.js';
import { ITEM, ITEM_NEWS } from '../documents/item.js';
import { ALERT_NEWS } from '../documents/session.js';
import { LOW_ITEMS } from '../documents/stock.js';
import { element } from '../elements/element.js';
import { Coming, Waiting } from './item/coming.js';
import { Combinations } from './item/combinations.js';
import { Head } from './item/head.js';
import { History } from './item/history.js';
import { Ledger } from './item/ledger.js';
import { Reason } from './item/reason.js';
import { SettingsCard } from './item/settings.js';
import { Stock } from './stock.js';

const PAUSE = 2_000;

export class Item {
  static path = 'item';
  static title = 'Item';
  static within = Stock;

  #shown = new AbortController();
  #sku = null;
  #parts = null;

  constructor(session, { go, signal }) {
    Object.assign(this, { session, server: session.server, go, signal });
    this.node = element('div', { class: 'item-page' }, heading('Item', 'Loading…'));
  }

  /** Shows the item of the URL, its page of the ledger, and the range of its plot. */
  async update(params) {
    const sku = params.get('sku') ?? '';
    try {
      if (sku !== this.#sku || !this.#parts) await this.#open(sku, params);
      else await this.#turn(params);
    } catch (error) {
      if (this.signal.aborted || error instanceof Refused || error.name === 'AbortError') return;
      if (!(error instanceof Told)) throw error;
      this.node.replaceChildren(heading(sku || 'Item', error.message));
      this.#parts = null;
    }
  }

  async #turn(params) {
    const { history, ledger, reason } = this.#parts;
    const before = this.params;
    this.params = params;
    const isOther = (...names) => names.some((name) => before.get(name) !== params.get(name));
    await Promise.all([
      isOther('range') ? history?.read({ params }) : null,
      isOther('website') ? reason.read(params) : null,
      isOther('after', 'before', 'page') ? ledger?.read(params) : null,
    ]);
  }

  /** Shows an item and follows it until another one is shown. */
  async #open(sku, params) {
    this.#sku = sku;
    this.params = params;
    this.#shown.abort();
    this.#shown = endingWith(this.signal);
    const { signal } = this.#shown;
    this.#parts = null;
    const details = atMost(PAUSE, () => this.#details().catch((error) => this.#ignore(error, signal)));
    const read = async () => {
      const { inventoryItem } = await this.server.ask(ITEM, { sku }, signal);
      if (!inventoryItem)
        throw new Told(sku ? `There is no item ${sku}. It may have been deleted.` : 'The address names no item.');
      if (!this.#parts) this.#build(inventoryItem, details, signal);
      await this.#read(inventoryItem, signal);
      return { sku, orders: this.session.may('orders:read') };
    };
    const next = (change) => {
      const { head, history, ledger } = this.#parts;
      head.totals = change.level.item.inventoryTotals;
      head.level = change.level;
      history?.add(change);
      if (change.movement) ledger?.add(change.movement);
      this.session.changes.announce(change);
      details();
    };
    listen(this.server, 'alerts', ALERT_NEWS, () => this.#parts && details(), signal).catch(() => {});
    try {
      await live(this.server, ITEM_NEWS, { read, next, signal });
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  #build(item, details, signal) {
    const shared = { sku: item.sku, go: this.go, signal };
    const isSum = item.tracking === 'TRACK_WITH_OPTIONS';
    const isCounted = !isSum && item.tracking !== 'DO_NOT_TRACK';
    const parts = {
      head: new Head(item, actionsOf(this.session, item)),
      history: isCounted ? new History(this.session, shared) : null,
      ledger: isCounted ? new Ledger(this.session, shared) : null,
      combinations: isSum ? new Combinations(this.session, shared) : null,
      reason: new Reason(this.session, { ...shared, isSum }),
      coming: isCounted ? new Coming(this.session, shared) : null,
      waiting: isCounted ? new Waiting(this.session, shared) : null,
      settings: new SettingsCard(this.session, { item, signal }),
    };
    const { head, history, ledger, combinations, reason, coming, waiting, settings } = parts;
    const left = [history, combinations, reason, coming, waiting];
    const sides = isCounted ? [[...left, settings], [ledger]] : [left, [settings]];
    const columns = sides.map((side) =>
      element('div', { class: 'column' }, ...side.filter(Boolean).map(({ node }) => node)),
    );
    this.#parts = parts;
    this.node.replaceChildren(head.node, element('div', { class: 'columns' }, ...columns));
    document.title = `${item.name} · gqlstock`;
    this.session.saved.addEventListener('saved', () => this.#setAnew(details), { signal });
  }

  async #read(item, signal) {
    const { head, history, ledger, combinations, settings } = this.#parts;
    const levels = await Array.fromAsync(nodes(this.server, ITEM_LEVELS, { sku: item.sku }, signal));
    head.show(item, levels);
    await Promise.all([
      history?.read({ params: this.params, levels, alert: item.inventorySettings.notifyBelow }),
      ledger?.read(this.params),
      combinations?.read(),
      settings.read(),
      this.#details(),
    ]);
  }

  /** What follows from the stock. It is read again when the stock changes. */
  async #details() {
    const { head, reason, coming, waiting } = this.#parts;
    const { signal } = this.#shown;
    // The server decides what is low: an alert is open.
    const alerts = await Array.fromAsync(nodes(this.server, LOW_ITEMS, { skus: [this.#sku] }, signal));
    head.isLow = alerts.length > 0;
    await Promise.all([reason.read(this.params), coming?.read(), waiting?.read(head.totals.backordered)]);
  }

  /** Something was saved: settings and the status are not in the feed of the stock. */
  async #setAnew(details) {
    details();
    const { signal } = this.#shown;
    try {
      const { head, history, settings } = this.#parts;
      const asked = this.server.ask(ITEM, { sku: this.#sku }, signal);
      const [{ inventoryItem }] = await Promise.all([asked, settings.read()]);
      if (!inventoryItem) return;
      head.item = inventoryItem;
      head.totals = inventoryItem.inventoryTotals;
      if (history) history.alert = inventoryItem.inventorySettings.notifyBelow;
    } catch (error) {
      this.#ignore(error, signal);
    }
  }

  /** What is read again soon is not worth a word. */
  #ignore(error, signal) {
    if (!signal.aborted && !(error instanceof Told || error instanceof Refused)) throw error;
  }
}

const heading = (title, text) =>
  element(
    'section',
    { class: 'card', 'aria-labelledby': 'item-title' },
    element('h1', { id: 'item-title', tabindex: '-1' }, title),
    element('p', { class: 'sentence', role: 'status' }, text),
  );
