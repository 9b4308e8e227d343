// The orders: first those with something to ship.

import { actionsOfOrder } from '../actions/of_order.js';
import { ListView } from '../client/list_view.js';
import { listen } from '../client/news.js';
import { refreshed } from '../client/refreshed.js';
import { address } from '../client/router.js';
import { ORDERS } from '../documents/orders.js';
import { ORDER_NEWS } from '../documents/session.js';
import { element } from '../elements/element.js';
import { plural } from '../elements/figures.js';
import { ListCard } from '../elements/list_card.js';
import { Table } from '../elements/table.js';
import { columns } from './orders/columns.js';

// What is to ship is packed in the order in which it was placed.
const SHOWN = {
  '': { label: 'To ship', filter: { toShip: true }, oldestFirst: true, none: 'Nothing is to ship.' },
  waiting: {
    label: 'Waiting for stock',
    filter: { statuses: ['PLACED', 'PARTIALLY_SHIPPED'], toShip: false },
    oldestFirst: true,
    none: 'No order waits for stock.',
  },
  parked: { label: 'Parked', filter: { statuses: ['BACKORDERED'] }, oldestFirst: true, none: 'No order is parked.' },
  all: { label: 'All', filter: {}, oldestFirst: false, none: 'There are no orders yet.' },
};
const SEARCH = {
  label: 'Search by number, reference, e-mail address or item',
  placeholder: 'Number, customer or item',
};

export class Orders {
  static path = 'orders';
  static title = 'Orders';
  static scope = 'orders:read';
  static inNavigation = true;

  constructor(session, { go, signal }) {
    Object.assign(this, { session, go });
    const actions = session.may('orders:write') ? (id) => this.#actions(id) : null;
    const table = new Table({ label: 'Orders', columns: columns({ actions }) });
    this.list = new ListCard(session, {
      name: 'orders',
      title: 'Orders',
      search: SEARCH,
      shown: SHOWN,
      period: 'Placed',
      tableOf: () => table,
      viewOf: (params) => new ListView('orders', SHOWN, params),
      subscribe: (list) => this.#subscribe(list),
      count: (total, view) =>
        `${plural(total, 'order')}${total > 1 ? `, ${SHOWN[view.show].oldestFirst ? 'oldest' : 'newest'} first` : ''}`,
      none,
      go,
      signal,
    });
    this.node = this.list.node;
  }

  update(params) {
    return this.list.update(params);
  }

  async #subscribe({ view, show, signal }) {
    const { server } = this.session;
    const { filter, oldestFirst } = SHOWN[view.show];
    const chosen = {
      ...filter,
      search: view.search || null,
      warehouse: view.warehouse || null,
      placedSince: view.since || null,
      placedUntil: view.until || null,
    };
    const variables = { filter: chosen, reverse: oldestFirst, ...view.place };
    const read = async () => show((await server.ask(ORDERS, variables, signal)).orders);
    await read();
    await listen(server, 'orders', ORDER_NEWS, refreshed(this.session, read, signal), signal);
  }

  #actions(id) {
    const order = this.list.row(id);
    const open = { label: 'Open', run: () => this.go(address('order', { number: order.number })) };
    return [...actionsOfOrder(this.session, order), open];
  }
}

function none(view) {
  if (view.show === 'parked' && view.warehouse)
    return 'Parked orders are in no warehouse yet. Choose all warehouses to see them.';
  if (!view.search) {
    if (view.hasPeriod) return 'No such order was placed in this period.';
    return view.warehouse ? 'No such order has units in this warehouse.' : SHOWN[view.show].none;
  }
  if (view.show === 'all' && !view.warehouse && !view.hasPeriod) return 'No order matches.';
  const everywhere = view.with({ show: 'all', warehouse: '', since: '', until: '' });
  return ['No such order matches. ', element('a', { href: everywhere }, 'Search all orders')];
}
