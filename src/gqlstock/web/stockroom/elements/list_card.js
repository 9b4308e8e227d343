// A page that is one list: its heading, what chooses its rows, the table, and the way through its pages.

import { endingWith } from '../client/ending.js';
import { Refused } from '../client/graphql.js';
import { SIZE } from '../client/list_view.js';
import { element } from './element.js';
import { number } from './figures.js';
import { ListTools } from './list_tools.js';
import { Pager } from './pager.js';

export class ListCard {
  #view;
  #list = new AbortController();

  /**
   * `name`: the id and class. `search` and `shown`: as of `ListTools`. `viewOf(params)`: a `ListView`. `rowOf(node)`: a row of
   * the table. `follow({ view, show, signal })` reads the list, and again when it changes; it calls `show` with each
   * connection. `count(total, view)`: what is said beside the heading. `none(view)`: what is said in place of an empty list,
   * a text or texts and nodes.
   */
  constructor(session, { name, title, search, shown, table, viewOf, rowOf, follow, count, none, go, signal }) {
    Object.assign(this, { table, viewOf, rowOf, follow, countOf: count, none, signal });
    this.tools = new ListTools(session, { search, shown, view: () => this.#view, go });
    this.heading = element('h1', { id: `${name}-title`, tabindex: '-1' }, title);
    this.count = element('p', { class: 'quiet', 'aria-live': 'polite' });
    this.said = element('p', { class: 'sentence', role: 'status' }, 'Loading…');
    this.region = element('div', { class: 'list-region', hidden: true }, table.node);
    this.pager = new Pager('Pages of the list');
    this.node = element(
      'section',
      { class: `card ${name}`, 'aria-labelledby': `${name}-title` },
      element('div', { class: 'card-head' }, this.heading, this.count),
      this.tools.node,
      this.said,
      this.region,
      this.pager.node,
    );
  }

  /** Shows the view of the URL. */
  async update(params) {
    this.#view = this.viewOf(params);
    const view = this.#view;
    this.tools.show(view);
    this.#list.abort();
    this.#list = endingWith(this.signal);
    const { signal } = this.#list;
    this.region.setAttribute('aria-busy', 'true');
    try {
      await this.follow({ view, signal, show: (list) => signal.aborted || this.#show(view, list) });
    } catch (error) {
      if (signal.aborted || error instanceof Refused) return;
      // The rows are those of another view.
      this.region.hidden = true;
      this.#say([error.message]);
    }
  }

  #show(view, { nodes, pageInfo, totalCount }) {
    const rows = nodes.map((node) => this.rowOf(node));
    const isWithin = this.region.contains(document.activeElement);
    // Highlights what has changed in the rows that stay.
    for (const row of rows) this.table.update(row);
    this.table.show(rows);
    this.region.removeAttribute('aria-busy');
    this.region.hidden = !rows.length;
    // The row that had the focus may have left the list.
    if (isWithin && !this.region.contains(document.activeElement)) this.heading.focus();
    this.count.textContent = this.countOf(totalCount, view);
    this.#say(rows.length ? [] : [this.none(view)].flat());
    const first = (view.page - 1) * SIZE + 1;
    this.pager.show({
      previous: pageInfo.hasPreviousPage ? view.previous(pageInfo) : null,
      next: pageInfo.hasNextPage ? view.next(pageInfo) : null,
      place: `${number(first)}–${number(first + rows.length - 1)} of ${number(totalCount)}`,
    });
  }

  #say(parts) {
    this.said.replaceChildren(...parts);
    this.said.hidden = !parts.length;
  }
}
