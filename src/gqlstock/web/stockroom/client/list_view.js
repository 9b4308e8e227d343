// What a list shows, as it is in the URL: a search, a filter, a warehouse, and the place in the list.

import { address } from './router.js';

export const SIZE = 50;

export class ListView {
  /** `path`: of the page. `shown`: its filters by their values of `show`, the one with '' first. */
  constructor(path, shown, params) {
    this.path = path;
    this.search = params.get('q')?.trim() ?? '';
    this.show = shown[params.get('show')] ? params.get('show') : '';
    this.warehouse = params.get('warehouse') ?? '';
    this.after = params.get('after');
    this.before = params.get('before');
    // For people only: the place in the list is the cursor.
    this.page = Math.max(Number.parseInt(params.get('page'), 10) || 1, 1);
  }

  /** The URL of this view with changes, from its first page. */
  with(changes) {
    return this.#address({ ...changes, after: null, before: null, page: 1 });
  }

  next({ endCursor }) {
    return this.#address({ after: endCursor, before: null, page: this.page + 1 });
  }

  previous({ startCursor }) {
    if (this.page <= 2) return this.with({});
    return this.#address({ after: null, before: startCursor, page: this.page - 1 });
  }

  /** The variables of the page of the list. */
  get place() {
    return this.before ? { last: SIZE, before: this.before } : { first: SIZE, after: this.after };
  }

  /** The parameters of its URL. */
  get query() {
    const { search, show, warehouse, after, before, page } = this;
    return { q: search, show, warehouse, after, before, page: page > 1 ? page : null };
  }

  #address(changes) {
    const changed = Object.assign(Object.create(Object.getPrototypeOf(this)), this, changes);
    return address(this.path, changed.query);
  }
}
