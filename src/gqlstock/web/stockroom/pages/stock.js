// The stock page: one row per item, found, filtered and sorted by the URL, and changing as stock changes.

import { endingWith } from '../client/ending.js';
import { Refused } from '../client/graphql.js';
import { SIZE } from '../client/list_view.js';
import { actionsOf, mayAct } from '../actions/of_item.js';
import { element } from '../elements/element.js';
import { number, plural } from '../elements/figures.js';
import { Pager } from '../elements/pager.js';
import { Table } from '../elements/table.js';
import { columns, withColumn } from './stock/columns.js';
import { Rows } from './stock/rows.js';
import { Tools } from './stock/tools.js';
import { View } from './stock/view.js';
import { warehousesOf } from './stock/warehouses.js';

export class Stock {
  static path = 'stock';
  static title = 'Stock';
  static inNavigation = true;

  #view;
  #list = new AbortController();
  #columns = null;
  // The rows below which their warehouses are shown.
  #opened = new Set();

  constructor(session, { go, signal }) {
    Object.assign(this, { session, go, signal });
    this.count = element('p', { class: 'quiet', 'aria-live': 'polite' });
    this.tools = new Tools(session, { view: () => this.#view, go, signal });
    this.said = element('p', { class: 'sentence', role: 'status' }, 'Loading the stock…');
    this.region = element('div', { class: 'list-region' });
    this.pager = new Pager('Pages of the list');
    this.node = element(
      'section',
      { class: 'card stock', 'aria-labelledby': 'stock-title' },
      element(
        'div',
        { class: 'card-head' },
        element('h1', { id: 'stock-title', tabindex: '-1' }, 'Stock'),
        this.count,
        this.tools.file,
      ),
      this.tools.node,
      this.said,
      this.region,
      this.pager.node,
    );
  }

  /** Shows the view of the URL. */
  async update(params) {
    this.#view = new View(params);
    this.tools.show(this.#view);
    this.#list.abort();
    this.#list = endingWith(this.signal);
    const { signal } = this.#list;
    this.#prepare();
    this.#close();
    this.region.setAttribute('aria-busy', 'true');
    const rows = new Rows(this.session, {
      variables: { ...this.#view.variables, ...this.#levels },
      listed: (list) => this.#show(list),
      changed: (changed, options) => changed.forEach((row) => this.table.update(row, options)),
      signal,
    });
    try {
      await rows.follow();
    } catch (error) {
      if (signal.aborted || error instanceof Refused) return;
      this.#say(error.message);
    }
  }

  get #shown() {
    return withColumn(this.session.warehouses, this.#view);
  }

  /** Which levels the list has: those of the columns. */
  get #levels() {
    const codes = this.#shown.map(({ code }) => code);
    return { warehouses: codes, levels: codes.length };
  }

  /** Makes a table for these columns, unless it is there already. */
  #prepare() {
    const shown = this.#shown;
    const names = shown.map(({ code }) => code).join('\n');
    if (names !== this.#columns) {
      this.#columns = names;
      const total = shown.length < this.session.warehouses.length;
      const actions = (item) => actionsOf(this.session, item);
      this.table = new Table({
        label: 'Stock',
        columns: columns({
          shown,
          total,
          open: (row) => this.#open(row),
          actions: mayAct(this.session) ? actions : null,
        }),
        sorted: ({ by, reverse }) => this.go(this.#view.with({ by, reverse })),
      });
      this.region.replaceChildren(this.table.node);
      this.tools.sorter.replaceChildren(this.table.sorter);
    }
    this.table.order(this.#view);
  }

  #show({ rows, pageInfo, totalCount }) {
    this.table.show(rows);
    this.region.removeAttribute('aria-busy');
    this.region.hidden = !rows.length;
    this.count.textContent = plural(totalCount, 'item');
    this.#say(rows.length ? '' : this.#view.none);
    this.#showPager(rows.length, pageInfo, totalCount);
  }

  #showPager(count, pageInfo, totalCount) {
    const view = this.#view;
    const first = (view.page - 1) * SIZE + 1;
    this.pager.show({
      previous: pageInfo.hasPreviousPage ? view.previous(pageInfo) : null,
      next: pageInfo.hasNextPage ? view.next(pageInfo) : null,
      place: `${number(first)}–${number(first + count - 1)} of ${number(totalCount)}`,
    });
  }

  /** Shows or hides what the sum of a row is made of. */
  async #open(row) {
    row.isOpen = !row.isOpen;
    if (row.isOpen) this.#opened.add(row.id);
    this.table.update(row);
    const details = row.isOpen ? await warehousesOf(this.session, row.item, this.#list.signal) : null;
    this.table.detail(row.id, details);
  }

  /** Another view starts with closed rows. */
  #close() {
    for (const id of this.#opened) this.table.detail(id, null);
    this.#opened.clear();
  }

  #say(text) {
    this.said.textContent = text;
    this.said.hidden = !text;
  }
}
