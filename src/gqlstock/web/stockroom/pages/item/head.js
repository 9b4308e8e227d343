// What an item is, and how much of it is there.

import { mayHaveLevels } from '../../actions/levels.js';
import { address } from '../../client/router.js';
import { element, light, mark } from '../../elements/element.js';
import { number } from '../../elements/figures.js';
import { picture } from '../../elements/picture.js';
import { stateOf } from '../stock/state.js';

const FIGURES = {
  onHand: 'On hand',
  available: 'Available',
  reserved: 'Reserved',
  planned: 'Planned',
  held: 'Held',
  backordered: 'On backorder',
  incoming: 'Incoming',
};
// Left out while there are none.
const SELDOM = new Set(['reserved', 'planned', 'held']);

export class Head {
  #values = new Map();
  #levels = new Map();
  #totals = null;
  #isLow = null;

  constructor(item, actions) {
    this.item = item;
    this.state = element('span', {});
    this.figures = element('dl', { class: 'figures' });
    this.warehouses = element('ul', { class: 'by-warehouse', 'aria-label': 'By warehouse' });
    for (const [name, label] of Object.entries(FIGURES)) {
      const value = element('dd', {});
      this.#values.set(name, { value, node: element('div', {}, element('dt', {}, label), value) });
    }
    this.figures.append(...[...this.#values.values()].map(({ node }) => node));
    const { product } = item;
    this.node = element(
      'section',
      { class: 'card item-head', 'aria-labelledby': 'item-title' },
      element(
        'div',
        { class: 'card-head' },
        picture(item.images[0]?.url),
        element('h1', { id: 'item-title', tabindex: '-1' }, item.name),
        element('span', { class: 'quiet' }, [item.sku, item.barcode].filter(Boolean).join(' · ')),
        this.state,
        product ? element('a', { href: address('item', { sku: product.sku }) }, `All of ${product.name}`) : null,
        element(
          'div',
          { class: 'ends' },
          ...actions.map(({ label, run }) => element('button', { type: 'button', click: run }, label)),
        ),
      ),
      this.figures,
      this.warehouses,
    );
  }

  show(item, levels) {
    this.item = item;
    this.#levels = new Map(levels.map((level) => [level.warehouse.code, level]));
    this.totals = item.inventoryTotals;
    this.#showLevels();
  }

  get totals() {
    return this.#totals;
  }

  set totals(totals) {
    const isFirst = this.#totals === null;
    this.#totals = totals;
    for (const [name, { node, value }] of this.#values) {
      const text = number(totals[name]);
      node.hidden = SELDOM.has(name) && !totals[name];
      if (value.textContent === text) continue;
      value.textContent = text;
      value.classList.toggle('nothing', !totals[name]);
      if (!isFirst) light(value);
    }
    this.figures.hidden = this.item.tracking === 'DO_NOT_TRACK';
    this.#showState();
  }

  set isLow(isLow) {
    this.#isLow = isLow;
    this.#showState();
  }

  set level(level) {
    this.#levels.set(level.warehouse.code, level);
    this.#showLevels();
  }

  #showLevels() {
    const levels = [...this.#levels.values()].toSorted((one, other) =>
      one.warehouse.name.localeCompare(other.warehouse.name),
    );
    this.warehouses.hidden = levels.length < 2;
    const entries = levels.map(({ warehouse, onHand, available }) =>
      element(
        'li',
        {},
        `${warehouse.name}: ${number(onHand)}`,
        onHand === available ? null : element('span', { class: 'quiet' }, `, ${number(available)} available`),
      ),
    );
    this.warehouses.replaceChildren(...entries);
  }

  #showState() {
    const { tracking, inventoryStatus, product } = this.item;
    const state = stateOf({
      counted: tracking !== 'DO_NOT_TRACK',
      hasLevels: mayHaveLevels(this.item),
      status: inventoryStatus ?? product?.inventoryStatus,
      totals: this.#totals,
      isLow: this.#isLow,
    });
    this.state.replaceChildren(state ? mark(...state) : '');
  }
}
