// The page of an item: what is there, how it came to that, why it can be ordered or not, and what to do about it.

import { actionsOf } from '../actions/of_item.js';
import { endingWith } from '../client/ending.js';
import { CursorExpired, Refused, ServerError } from '../client/graphql.js';
import { itemOf } from '../client/item_of.js';
import { listen, readAndSubscribe } from '../client/news.js';
import { nodes } from '../client/paging.js';
import { refreshed } from '../client/refreshed.js';
import { address } from '../client/router.js';
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

export class Item {
  static path = 'item';
  static title = 'Item';
  static within = Stock;

  #shown = new AbortController();
  #sku = null;
  #parts = null;
  // How many changes of stock came: what was asked for before the latest is older than it.
  #changes = 0;

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
      if (error instanceof CursorExpired && (params.has('after') || params.has('before'))) return this.#restart(params);
      if (!(error instanceof ServerError)) throw error;
      this.#show(heading(sku || 'Item', error.message));
      this.#parts = null;
    }
  }

  /** The cursor in the URL is of no page of this ledger: shows its first one. */
  #restart(params) {
    this.#parts = null;
    const { after, before, page, ...kept } = Object.fromEntries(params);
    this.go(address('item', kept), { replace: true });
  }

  /** Replaces what is shown. If the focus was in it, the new heading gets it. */
  #show(...content) {
    const hadFocus = this.node.contains(document.activeElement);
    this.node.replaceChildren(...content);
    window.scrollTo(0, 0);
    if (hadFocus) this.node.querySelector('h1').focus();
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
    const again = refreshed(this.session, () => this.#refresh(signal), signal);
    const read = async () => {
      const item = await itemOf(this.server, ITEM, sku, signal);
      if (!this.#parts) this.#build(item, signal);
      await this.#read(item, signal);
      return { sku };
    };
    const next = (change) => {
      const { head, history } = this.#parts;
      this.#changes += 1;
      head.totals = change.level.item.inventoryTotals;
      head.level = change.level;
      history?.add(change);
      this.session.changes.announce(change);
      again();
    };
    listen(this.server, 'alerts', ALERT_NEWS, again, signal).catch(() => {});
    try {
      await readAndSubscribe(this.server, ITEM_NEWS, { read, next, signal });
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  #build(item, signal) {
    const shared = { sku: item.sku, go: this.go, signal };
    const isSum = item.tracking === 'TRACK_WITH_OPTIONS';
    const isCounted = !isSum && item.tracking !== 'DO_NOT_TRACK';
    const parts = {
      head: new Head(item, actionsOf(this.session, item, signal)),
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
    this.#show(head.node, element('div', { class: 'columns' }, ...columns));
    document.title = `${item.name} · gqlstock`;
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

  /**
   * Reads again what may have changed. Settings, the status and dates are not in the feed of the stock, and the stock of
   * combinations is not in the feed of their product.
   */
  async #refresh(signal) {
    if (!this.#parts) return;
    const { head, history, ledger, combinations, settings } = this.#parts;
    const changes = this.#changes;
    const item = await itemOf(this.server, ITEM, this.#sku, signal);
    head.item = item;
    if (changes === this.#changes) head.totals = item.inventoryTotals;
    if (history) history.alert = item.inventorySettings.notifyBelow;
    await Promise.all([ledger?.read(this.params), combinations?.read(), settings.read(), this.#details()]);
  }

  /** What follows from the stock. */
  async #details() {
    const { head, reason, coming, waiting } = this.#parts;
    const { signal } = this.#shown;
    // The server decides what is low: an alert is open.
    const alerts = await Array.fromAsync(nodes(this.server, LOW_ITEMS, { skus: [this.#sku] }, signal));
    head.isLow = alerts.length > 0;
    await Promise.all([reason.read(this.params), coming?.read(), waiting?.read(head.totals.backordered)]);
  }
}

const heading = (title, text) =>
  element(
    'section',
    { class: 'card', 'aria-labelledby': 'item-title' },
    element('h1', { id: 'item-title', tabindex: '-1' }, title),
    element('p', { class: 'sentence', role: 'status' }, text),
  );
