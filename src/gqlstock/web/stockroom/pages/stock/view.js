// What the stock page shows, as it is in the URL: search, filters, order, and the place in the list.

import { ListView } from '../../client/list_view.js';

// The filters of the chips, by their value of `show`. Each is about the stock of all warehouses together, also where the list
// is limited to the items of one: `noneOfOne`.
export const SHOWN = {
  '': {
    label: 'All',
    filter: {},
    none: 'There are no items yet. They come from the shop, or from an import.',
    noneOfOne: 'No item is stocked in this warehouse.',
  },
  out: {
    label: 'Out of stock',
    filter: { outOfStock: true },
    none: 'No item is out of stock.',
    noneOfOne: 'No item of this warehouse is out of stock in all warehouses.',
  },
  low: {
    label: 'Low',
    filter: { low: true },
    none: 'No item is low.',
    noneOfOne: 'No item of this warehouse is low.',
  },
  backorder: {
    label: 'On backorder',
    filter: { backordered: true },
    none: 'No item is on backorder.',
    noneOfOne: 'No item of this warehouse is on backorder in any warehouse.',
  },
  incoming: {
    label: 'Incoming',
    filter: { incoming: true },
    none: 'Nothing is on its way.',
    noneOfOne: 'No item of this warehouse is on its way to any warehouse.',
  },
};
const SORTS = ['NAME', 'SKU', 'AVAILABLE', 'UPDATED'];

export class View extends ListView {
  constructor(params) {
    super('stock', SHOWN, params);
    this.by = SORTS.includes(params.get('sort')) ? params.get('sort') : 'NAME';
    this.reverse = params.get('dir') === 'desc';
  }

  get query() {
    return { ...super.query, sort: this.by === 'NAME' ? null : this.by, dir: this.reverse ? 'desc' : null };
  }

  /** The variables of the list without its page. */
  get list() {
    const filter = { ...SHOWN[this.show].filter };
    if (this.search) filter.search = this.search;
    if (this.warehouse) filter.warehouse = this.warehouse;
    return { filter, sort: this.by, reverse: this.reverse };
  }

  get variables() {
    return { ...this.list, ...this.place };
  }

  /** Why nothing is shown. */
  get none() {
    if (this.search) return 'No item matches by name, SKU, code or barcode.';
    return this.warehouse ? SHOWN[this.show].noneOfOne : SHOWN[this.show].none;
  }
}
