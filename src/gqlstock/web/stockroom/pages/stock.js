// The stock page: one row per item, found, filtered and sorted by the URL, and changing as stock changes.

import { actionsOf, mayAct } from '../actions/of_item.js';
import { element } from '../elements/element.js';
import { plural } from '../elements/figures.js';
import { ListCard } from '../elements/list_card.js';
import { Table } from '../elements/table.js';
import { columns, withColumn } from './stock/columns.js';
import { Rows } from './stock/rows.js';
import { saveButton } from './stock/save_button.js';
import { SHOWN, View } from './stock/view.js';
import { warehousesOf } from './stock/warehouses.js';

const SEARCH = { label: 'Search by name, SKU, code or barcode', placeholder: 'Name, SKU or barcode' };

export class Stock {
  static path = 'stock';
  static title = 'Stock';
  static inNavigation = true;

  #columns = null;
  #table;
  #following;

  constructor(session, { go, signal }) {
    Object.assign(this, { session, go, signal });
    this.sorter = element('span', { class: 'sorter-place' });
    this.list = new ListCard(session, {
      name: 'stock',
      title: 'Stock',
      search: SEARCH,
      shown: SHOWN,
      head: [saveButton(session, () => this.list.view, signal)],
      tools: [this.sorter],
      tableOf: (view) => this.#tableOf(view),
      viewOf: (params) => new View(params),
      subscribe: (list) => this.#subscribe(list),
      count: (total) => plural(total, 'item'),
      none: (view) => view.none,
      go,
      signal,
    });
    this.node = this.list.node;
  }

  update(params) {
    return this.list.update(params);
  }

  #subscribe({ view, show, signal }) {
    this.#following = signal;
    const codes = withColumn(this.session.warehouses, view).map(({ code }) => code);
    const table = this.#table;
    const rows = new Rows(this.session, {
      variables: { ...view.variables, warehouses: codes, levels: codes.length },
      listed: show,
      changed: (changed, options) => signal.aborted || changed.forEach((row) => table.update(row, options)),
      signal,
    });
    return rows.subscribe();
  }

  /** The table with the columns of a view: the one that is there, if it has them. */
  #tableOf(view) {
    const shown = withColumn(this.session.warehouses, view);
    const names = shown.map(({ code }) => code).join('\n');
    if (names !== this.#columns) {
      this.#columns = names;
      this.#table = this.#made(shown);
      this.sorter.replaceChildren(this.#table.sorter);
    }
    this.#table.order(view);
    // Another view starts with closed rows.
    this.#table.close();
    return this.#table;
  }

  #made(shown) {
    return new Table({
      label: 'Stock',
      columns: columns({
        shown,
        total: shown.length < this.session.warehouses.length,
        isOpen: (id) => this.#table.isOpen(id),
        open: (id) => this.#open(id),
        actions: mayAct(this.session) ? (item) => actionsOf(this.session, item, this.signal) : null,
      }),
      sorted: ({ by, reverse }) => this.go(this.list.view.with({ by, reverse })),
    });
  }

  /** Shows or hides what the sum of a row is made of. */
  #open(id) {
    const row = this.list.row(id);
    const isOpen = this.#table.isOpen(id);
    this.#table.detail(id, isOpen ? null : warehousesOf(this.session, row.item, this.#following));
    this.#table.update(row, { quietly: true });
  }
}
