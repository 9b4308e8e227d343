// The overview: what needs attention now. Each part loads by itself and leads to what is behind it.

import { listen } from '../client/news.js';
import { atMost } from '../client/pace.js';
import { ALERT_NEWS, ORDER_NEWS } from '../documents/session.js';
import { element } from '../elements/element.js';
import { Alerts } from './overview/alerts.js';
import { ORDERS, PLACED, STOCK, Tile } from './overview/tiles.js';

// Orders and alerts are told as they change. What follows from stock is looked at from time to time.
const PAUSE = 5_000;
const PERIOD = 20_000;

export class Overview {
  static path = '';
  static title = 'Overview';
  static inNavigation = true;

  constructor(session, { go, signal }) {
    const made = (tiles) => tiles.map((tile) => new Tile(session, tile, signal));
    const mayOrders = session.may('orders:read');
    const stock = made(STOCK);
    const orders = mayOrders ? made(ORDERS) : [];
    const placed = mayOrders ? made(PLACED) : [];
    this.alerts = new Alerts(session, { go, signal });
    this.node = element(
      'div',
      { class: 'overview' },
      element('h1', { tabindex: '-1' }, 'Overview'),
      tiles('Needs attention', [...orders, ...stock]),
      this.alerts.node,
      placed.length
        ? element('section', { class: 'card' }, element('h2', {}, 'Orders placed'), tiles('Orders placed', placed))
        : null,
    );
    this.#subscribe(session, signal, { stock, orders: [...orders, ...placed] });
  }

  update(params) {
    return this.alerts.read(params);
  }

  #subscribe({ server }, signal, { stock, orders }) {
    const all = (parts) => () => Promise.all(parts.map((part) => part.read()));
    // Each part at its own pace: a slow one keeps none waiting.
    const reads = stock.map((tile) => atMost(PAUSE, () => tile.read()));
    const readStock = () => reads.forEach((one) => one());
    const count = atMost(PAUSE, all(orders));
    const alerts = atMost(PAUSE, () => this.alerts.read());
    listen(server, 'alerts', ALERT_NEWS, () => (alerts(), readStock()), signal).catch(() => {});
    if (orders.length) listen(server, 'orders', ORDER_NEWS, count, signal).catch(() => {});
    const timer = setInterval(() => document.hidden || (readStock(), alerts()), PERIOD);
    signal.addEventListener('abort', () => clearInterval(timer));
    readStock();
    count();
  }
}

const tiles = (label, made) =>
  element(
    'ul',
    { class: made.length > 3 ? 'tiles' : 'tiles few', 'aria-label': label },
    ...made.map(({ node }) => element('li', {}, node)),
  );
