// A page that is one list: its heading, what chooses its rows, the table, and the way through its pages.

import { endingWith } from '../client/ending.js';
import { CursorExpired, Refused } from '../client/graphql.js';
import { SIZE } from '../client/list_view.js';
import { element, say } from './element.js';
import { ListTools } from './list_tools.js';
import { Pager } from './pager.js';

export class ListCard {
  #rows = new Map();
  // The view whose rows are shown.
  #shown = null;
  #list = new AbortController();

  /**
   * `name`: the id and class. `search`, `shown` and `period`: as of `ListTools`. `head` and `tools`: nodes beside the heading
   * and the tools. `tableOf(view)`: the table, which may be another one for another view. `viewOf(params)`: a `ListView`.
   * `subscribe({ view, show, signal })` reads the list, and again when it changes; it calls `show` with each connection, whose
   * nodes are the rows. `count(total, view)`: what is said beside the heading. `none(view)`: what is said in place of an
   * empty list, a text or texts and nodes.
   */
  constructor(
    session,
    { name, title, search, shown, period, head = [], tools = [], tableOf, viewOf, subscribe, count, none, go, signal },
  ) {
    Object.assign(this, { tableOf, viewOf, subscribe, countOf: count, none, go, signal });
    this.tools = new ListTools(session, { search, shown, period, more: tools, view: () => this.view, go, signal });
    this.heading = element('h1', { id: `${name}-title`, tabindex: '-1' }, title);
    this.count = element('p', { class: 'quiet' });
    this.said = element('p', { class: 'sentence', role: 'status' }, 'Loading…');
    this.found = element('p', { class: 'unseen', role: 'status' });
    this.region = element('div', { class: 'list-region', hidden: true });
    this.pager = new Pager('Pages of the list');
    this.node = element(
      'section',
      { class: `card ${name}`, 'aria-labelledby': `${name}-title` },
      element('div', { class: 'card-head' }, this.heading, this.count, ...head),
      this.tools.node,
      this.said,
      this.found,
      this.region,
      this.pager.node,
    );
  }

  /** Shows the view of the URL. */
  async update(params) {
    const view = this.viewOf(params);
    this.view = view;
    this.tools.show(view);
    this.#list.abort();
    this.#list = endingWith(this.signal);
    const { signal } = this.#list;
    this.table = this.tableOf(view);
    if (this.region.firstChild !== this.table.node) this.region.replaceChildren(this.table.node);
    this.region.setAttribute('aria-busy', 'true');
    try {
      await this.subscribe({ view, signal, show: (list) => signal.aborted || this.#show(view, list) });
    } catch (error) {
      if (signal.aborted || error instanceof Refused) return;
      // A cursor that is not one of this list, such as that of a link that was cut off.
      if (error instanceof CursorExpired && !view.isFirstPage) return this.#restart(view);
      // The rows are those of another view.
      this.region.hidden = true;
      this.pager.node.hidden = true;
      this.count.textContent = '';
      say(this.said, error.message);
    }
  }

  /** The row with this id, if it is shown. */
  row(id) {
    return this.#rows.get(id);
  }

  #show(view, { nodes: rows, pageInfo, totalCount }) {
    // All rows of the page have left.
    if (!rows.length && !view.isFirstPage) return this.#restart(view);
    const isNew = view !== this.#shown;
    this.#shown = view;
    this.#rows = new Map(rows.map((row) => [row.id, row]));
    const isWithin = this.region.contains(document.activeElement);
    // Highlights what has changed in the rows that stay.
    if (!isNew) for (const row of rows) this.table.update(row);
    this.table.show(rows);
    this.region.removeAttribute('aria-busy');
    this.region.hidden = !rows.length;
    // The row that had the focus may have left the list.
    if (isWithin && !this.region.contains(document.activeElement)) this.heading.focus();
    this.count.textContent = this.countOf(totalCount, view);
    // Says it for another view, but not each time that the list changes.
    if (isNew) this.found.textContent = rows.length ? this.count.textContent : '';
    say(this.said, ...(rows.length ? [] : [this.none(view)].flat()));
    this.pager.show({
      page: view.page,
      size: SIZE,
      total: totalCount,
      pageInfo,
      url: (parameters) => view.with(parameters),
    });
  }

  /** Shows the first page in place of one that is not there. */
  #restart(view) {
    this.go(view.with({}), { replace: true });
  }
}
