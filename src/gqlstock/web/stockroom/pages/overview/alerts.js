// The open alerts: what is left now, what was left when each was raised, and the button that acknowledges it.

import { CursorExpired, Refused, ServerError } from '../../client/graphql.js';
import { nodes } from '../../client/paging.js';
import { address } from '../../client/router.js';
import { LEFT, OPEN_ALERTS } from '../../documents/overview.js';
import { ACKNOWLEDGE } from '../../documents/session.js';
import { element, mark, say } from '../../elements/element.js';
import { number, when } from '../../elements/figures.js';
import { itemName } from '../../elements/item_name.js';
import { Pager } from '../../elements/pager.js';
import { Table } from '../../elements/table.js';

const SIZE = 25;
const NONE =
  'No alert is open. An alert opens when fewer of an item are available than its setting “Alert below”.';

export class Alerts {
  #params = new URLSearchParams();
  #requests = 0;

  constructor(session, { go, signal }) {
    Object.assign(this, { session, server: session.server, go, signal });
    this.count = element('p', { class: 'quiet' });
    this.said = element('p', { class: 'sentence', role: 'status' }, 'Loading the alerts…');
    this.table = new Table({ label: 'Open alerts, latest first', columns: this.#columns() });
    this.pager = new Pager('Pages of the alerts');
    this.node = element(
      'section',
      { class: 'card alerts', 'aria-labelledby': 'alerts-title' },
      element(
        'div',
        { class: 'card-head' },
        element('h2', { id: 'alerts-title', tabindex: '-1' }, 'Alerts'),
        this.count,
      ),
      this.said,
      this.table.node,
      this.pager.node,
    );
    this.table.node.hidden = true;
  }

  /** Reads the page of the URL. */
  async read(params = this.#params) {
    this.#params = params;
    const request = (this.#requests += 1);
    try {
      const { after, before } = Object.fromEntries(params);
      const part = before ? { last: SIZE, before } : { first: SIZE, after };
      const { lowInventoryAlerts } = await this.server.ask(OPEN_ALERTS, part, this.signal);
      const left = await this.#left(lowInventoryAlerts.nodes);
      // An older answer may come later.
      if (request === this.#requests) this.#show(lowInventoryAlerts, left);
    } catch (error) {
      if (this.signal.aborted || error instanceof Refused || request !== this.#requests) return;
      // A cursor that is not one of this list.
      if (error instanceof CursorExpired && !this.#isFirstPage) return this.#restart();
      if (!(error instanceof ServerError)) throw error;
      say(this.said, error.message);
    }
  }

  get #isFirstPage() {
    return !this.#params.get('after') && !this.#params.get('before');
  }

  /** Shows the first page in place of one that is not there. */
  #restart() {
    this.go(address(''), { replace: true });
  }

  /** What is left in the warehouses of alerts that are about one alone, by item and warehouse. */
  async #left(alerts) {
    const single = alerts.filter(({ warehouse }) => warehouse);
    const left = new Map();
    if (!single.length) return left;
    const skus = single.map(({ item }) => item.sku);
    const warehouses = [...new Set(single.map(({ warehouse }) => warehouse.code))];
    for await (const { item, warehouse, available } of nodes(this.server, LEFT, { skus, warehouses }, this.signal)) {
      left.set(`${item.id} ${warehouse.code}`, available);
    }
    return left;
  }

  #show({ nodes: alerts, pageInfo, totalCount }, left) {
    // All alerts of the page are resolved.
    if (!alerts.length && !this.#isFirstPage) return this.#restart();
    const rows = alerts.map((alert) => {
      const { item, warehouse } = alert;
      const now = warehouse ? (left.get(`${item.id} ${warehouse.code}`) ?? 0) : item.inventoryTotals.available;
      return { ...alert, now };
    });
    this.table.show(rows);
    this.table.node.hidden = !rows.length;
    this.count.textContent = totalCount ? `${number(totalCount)} open` : '';
    say(this.said, ...(rows.length ? [] : [NONE]));
    this.pager.show({
      page: Math.max(Number.parseInt(this.#params.get('page'), 10) || 1, 1),
      size: SIZE,
      total: totalCount,
      pageInfo,
      url: (parameters) => address('', parameters),
    });
  }

  #columns() {
    const acknowledge = {
      name: 'actions',
      head: 'Action',
      unseen: true,
      key: ({ acknowledgedAt }) => acknowledgedAt ?? '',
      node: (alert) => this.#button(alert),
    };
    return [...COLUMNS, ...(this.session.may('inventory:write') ? [acknowledge] : [])];
  }

  #button({ id, item, acknowledgedAt }) {
    if (acknowledgedAt) return '';
    const click = async () => {
      try {
        const { acknowledgeLowInventoryAlert } = await this.server.change(ACKNOWLEDGE, { id });
        const [error] = acknowledgeLowInventoryAlert.userErrors;
        this.session.notices.show(error?.message ?? `Alert for ${item.name} acknowledged.`);
        this.node.querySelector('h2').focus();
        await this.read();
      } catch (error) {
        if (!this.signal.aborted && !(error instanceof Refused)) this.session.notices.show(error.message);
      }
    };
    return element(
      'button',
      { type: 'button', 'aria-label': `Acknowledge the alert for ${item.name}`, click },
      'Acknowledge',
    );
  }
}

const COLUMNS = [
  {
    name: 'item',
    head: 'Item',
    heading: true,
    key: ({ item }) => `${item.name} ${item.sku}`,
    node: ({ item }) => itemName(item),
  },
  { name: 'state', head: 'State', key: (alert) => stateOf(alert).join(), node: (alert) => mark(...stateOf(alert)) },
  { name: 'now', head: 'Left now', figure: true, text: ({ now }) => number(now) },
  { name: 'then', head: 'When raised', figure: true, text: ({ quantityLeft }) => number(quantityLeft) },
  { name: 'threshold', head: 'Alert below', figure: true, text: ({ threshold }) => number(threshold) },
  { name: 'where', head: 'Warehouse', text: ({ warehouse }) => warehouse?.name ?? 'All' },
  { name: 'moment', head: 'Since', text: ({ raisedAt }) => when(raisedAt) },
];

function stateOf({ acknowledgedAt, acknowledgedBy, now }) {
  if (acknowledgedAt) return ['taken', `Acknowledged by ${acknowledgedBy}`];
  return now <= 0 ? ['out', 'Out of stock'] : ['low', 'Low'];
}
