// What the stock page shows, as it is in the URL: search, filters, order, and the place in the list.

import { address } from '../../client/router.js';

export const SIZE = 50;
// The filters of the chips, by their value of `show`.
export const SHOWN = {
  '': {
    label: 'All',
    filter: {},
    none: 'There are no items yet. Create products with createProduct or gqlstock import products.',
  },
  out: { label: 'Out of stock', filter: { outOfStock: true }, none: 'No item is out of stock.' },
  low: { label: 'Low', filter: { low: true }, none: 'No item is low.' },
  backorder: { label: 'On backorder', filter: { backordered: true }, none: 'No item is on backorder.' },
  incoming: { label: 'Incoming', filter: { incoming: true }, none: 'Nothing is on its way.' },
};
const SORTS = ['NAME', 'SKU', 'AVAILABLE', 'UPDATED'];

export class View {
  constructor(params) {
    this.search = params.get('q')?.trim() ?? '';
    this.show = SHOWN[params.get('show')] ? params.get('show') : '';
    this.warehouse = params.get('warehouse') ?? '';
    this.by = SORTS.includes(params.get('sort')) ? params.get('sort') : 'NAME';
    this.reverse = params.get('dir') === 'desc';
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

  #address(changes) {
    const { search, show, warehouse, by, reverse, after, before, page } = { ...this, ...changes };
    const sort = by === 'NAME' ? null : by;
    const dir = reverse ? 'desc' : null;
    return address('stock', { q: search, show, warehouse, sort, dir, after, before, page: page > 1 ? page : null });
  }

  /** The variables of the list without its page. */
  get list() {
    const filter = { ...SHOWN[this.show].filter };
    if (this.search) filter.search = this.search;
    if (this.warehouse) filter.warehouse = this.warehouse;
    return { filter, sort: this.by, reverse: this.reverse };
  }

  get variables() {
    const page = this.before ? { last: SIZE, before: this.before } : { first: SIZE, after: this.after };
    return { ...this.list, ...page };
  }

  /** Why nothing is shown. */
  get none() {
    if (this.search) return 'No item matches by name, SKU, code or barcode.';
    if (this.warehouse && !this.show) return 'No item is stocked in this warehouse.';
    return SHOWN[this.show].none;
  }
}
