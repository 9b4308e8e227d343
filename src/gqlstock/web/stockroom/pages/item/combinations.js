// The combinations of a product, whose stock is the product's.

import { COMBINATIONS } from '../../documents/item.js';
import { element } from '../../elements/element.js';
import { number, plural } from '../../elements/figures.js';
import { itemName } from '../../elements/item_name.js';
import { Table } from '../../elements/table.js';

const SIZE = 250;

export class Combinations {
  constructor(session, { sku, signal }) {
    Object.assign(this, { session, sku, signal });
    this.table = new Table({ label: 'Combinations', columns: COLUMNS });
    this.count = element('p', { class: 'quiet' });
    this.node = element(
      'section',
      { class: 'card combinations', 'aria-labelledby': 'combinations-title' },
      element('div', { class: 'card-head' }, element('h2', { id: 'combinations-title' }, 'Combinations'), this.count),
      this.table.node,
    );
  }

  async read() {
    const found = [];
    let after = null;
    do {
      const { product } = await this.session.server.ask(
        COMBINATIONS,
        { sku: this.sku, first: SIZE, after },
        this.signal,
      );
      found.push(...product.combinations.nodes);
      after = product.combinations.pageInfo.hasNextPage ? product.combinations.pageInfo.endCursor : null;
    } while (after);
    this.count.textContent = plural(found.length, 'combination');
    this.table.node.hidden = !found.length;
    this.table.show(found);
  }
}

const figure = (name, head) => ({
  name,
  head,
  figure: true,
  text: ({ inventoryTotals }) => number(inventoryTotals[name]),
});
const COLUMNS = [
  {
    name: 'item',
    head: 'Item',
    heading: true,
    key: ({ name, sku }) => `${name} ${sku}`,
    node: itemName,
  },
  figure('onHand', 'On hand'),
  figure('available', 'Available'),
  figure('backordered', 'On backorder'),
  figure('incoming', 'Incoming'),
];
