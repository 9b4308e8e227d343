// What is on its way, from suppliers and between warehouses: what is overdue first, then by date.

import { actionsOfAnnouncement } from '../actions/of_announcement.js';
import { endingWith } from '../client/ending.js';
import { ListView } from '../client/list_view.js';
import { readAndSubscribe } from '../client/news.js';
import { refreshed } from '../client/refreshed.js';
import { INCOMING, INCOMING_CHANGES } from '../documents/incoming.js';
import { plural } from '../elements/figures.js';
import { ListCard } from '../elements/list_card.js';
import { Table } from '../elements/table.js';
import { columns } from './incoming/columns.js';

const SHOWN = {
  '': { label: 'All', filter: { open: true }, none: 'Nothing is on its way.' },
  overdue: { label: 'Overdue', filter: { overdue: true }, none: 'Nothing is overdue.' },
};
const SEARCH = { label: 'Find a document number, exactly', placeholder: 'Document number' };

export class Incoming {
  static path = 'incoming';
  static title = 'Incoming';
  static scope = 'inventory:read';
  static inNavigation = true;

  constructor(session, { go, signal }) {
    this.session = session;
    const actionsOf = (id) => actionsOfAnnouncement(session, this.list.row(id), signal);
    const actions = session.may('inventory:write') ? actionsOf : null;
    const table = new Table({ label: 'Incoming', columns: columns({ actions }) });
    this.list = new ListCard(session, {
      name: 'incoming',
      title: 'Incoming',
      search: SEARCH,
      shown: SHOWN,
      period: 'Expected',
      tableOf: () => table,
      viewOf: (params) => new ListView('incoming', SHOWN, params),
      subscribe: (list) => this.#subscribe(list),
      count: (total) => `${plural(total, 'announcement')}${total > 1 ? ', earliest first' : ''}`,
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
    const { server, changes } = this.session;
    const chosen = {
      warehouses: view.warehouse ? [view.warehouse] : null,
      reference: view.search || null,
      expectedFrom: view.since || null,
      expectedUntil: view.until || null,
    };
    const variables = { filter: { ...SHOWN[view.show].filter, ...chosen }, ...view.place };
    // Follows the items that are on the page, until others are.
    while (!signal.aborted) {
      const stream = endingWith(signal);
      let skus = new Set();
      const read = async () => {
        const list = (await server.ask(INCOMING, variables, signal)).stockAnnouncements;
        show(list);
        return list.nodes.map(({ level }) => level.item.sku);
      };
      const again = refreshed(
        this.session,
        async () => {
          if ((await read()).some((sku) => !skus.has(sku))) stream.abort();
        },
        stream.signal,
      );
      const first = async () => {
        skus = new Set(await read());
        return { skus: [...skus] };
      };
      const next = (news) => {
        changes.announce(news);
        again();
      };
      try {
        await readAndSubscribe(server, INCOMING_CHANGES, { read: first, next, signal: stream.signal });
      } catch (error) {
        if (!stream.signal.aborted) throw error;
      }
    }
  }
}

function none(view) {
  if (view.search) return `Nothing on its way has the document number ${view.search}.`;
  if (view.hasPeriod) return 'Nothing is expected in this period.';
  if (view.warehouse)
    return view.show ? 'Nothing for this warehouse is overdue.' : 'Nothing is on its way to this warehouse.';
  return SHOWN[view.show].none;
}
