// What a list shows, as it is in the URL: a search, a filter, a warehouse, a period, and the place in the list.

import { address } from './router.js';

export const SIZE = 50;

export class ListView {
  /** `path`: of the page. `shown`: its filters by their values of `show`, the one with '' first. */
  constructor(path, shown, params) {
    this.path = path;
    this.search = params.get('q')?.trim() ?? '';
    this.show = shown[params.get('show')] ? params.get('show') : '';
    this.warehouse = params.get('warehouse') ?? '';
    this.since = moment(params.get('since'));
    this.until = moment(params.get('until'));
    this.after = params.get('after');
    this.before = params.get('before');
    // For people only: the place in the list is the cursor.
    this.page = Math.max(Number.parseInt(params.get('page'), 10) || 1, 1);
  }

  /**
   * The URL of this view with changes. Without a cursor among them, it leads to the first page, else to the one that begins
   * `after` it or ends `before` it.
   */
  with(changes) {
    const other = { after: null, before: null, page: 1, ...changes };
    const changed = Object.assign(Object.create(Object.getPrototypeOf(this)), this, other);
    return address(this.path, changed.query);
  }

  get isFirstPage() {
    return !this.after && !this.before;
  }

  get hasPeriod() {
    return Boolean(this.since || this.until);
  }

  /** The variables of the page of the list. */
  get place() {
    return this.before ? { last: SIZE, before: this.before } : { first: SIZE, after: this.after };
  }

  /** The parameters of its URL. */
  get query() {
    const { search, show, warehouse, since, until, after, before, page } = this;
    return { q: search, show, warehouse, since, until, after, before, page: page > 1 ? page : null };
  }
}

/** A time as the API takes it. */
const moment = (text) => (Number.isNaN(Date.parse(text)) ? '' : new Date(text).toISOString());
