// The levels of an item, for the dialogs of its actions: read before a dialog opens, and current while it is open.

import { nodes } from '../client/paging.js';
import { ITEM_LEVELS } from '../documents/actions.js';
import { number } from '../elements/figures.js';

// Products with combinations and those that are not counted have no levels of their own.
const WITHOUT = new Set(['DO_NOT_TRACK', 'TRACK_WITH_OPTIONS']);

/** Whether an item can have levels. */
export const mayHaveLevels = ({ tracking }) => !WITHOUT.has(tracking);

/** Whether an item can have levels that the token reaches. */
export const hasLevels = (item, { warehouses }) => warehouses.length > 0 && mayHaveLevels(item);

/** `figure`: what choices of a warehouse show of it, `onHand` or `available`. */
export async function levelsOf(session, item, { figure = 'onHand', signal }) {
  const read = await Array.fromAsync(nodes(session.server, ITEM_LEVELS, { sku: item.sku }, signal));
  return new Levels(session, item, read, figure);
}

const WORDS = { onHand: 'on hand', available: 'available' };

class Levels {
  #levels;

  constructor(session, item, levels, figure) {
    Object.assign(this, { session, item, figure });
    this.#levels = new Map(levels.map((level) => [level.warehouse.code, level]));
  }

  /** The codes of the warehouses that stock the item. */
  get codes() {
    return [...this.#levels.keys()];
  }

  /** Whether ordered units are no longer on hand before they have left. */
  get isSoldWhenOrdered() {
    const [first] = this.#levels.values();
    return first?.inventorySettings.decrementInventory === 'ON_ORDER';
  }

  onHand(code) {
    return this.#levels.get(code)?.onHand ?? 0;
  }

  available(code) {
    return this.#levels.get(code)?.available ?? 0;
  }

  /** Takes over newer figures of a level. */
  set(code, figures) {
    this.#levels.set(code, { ...this.#levels.get(code), ...figures });
  }

  /** A choice of a warehouse: at first one that stocks the item, with units available if that is the figure shown. */
  field({ name, label = 'Warehouse', paths }) {
    const stocked = this.options.map(({ value: code }) => code).filter((code) => this.#levels.has(code));
    const value = stocked.find((code) => this.figure === 'onHand' || this.available(code) > 0) ?? stocked[0];
    return {
      name,
      label,
      type: 'choice',
      options: this.options,
      value: value ?? this.options[0].value,
      required: true,
      paths,
    };
  }

  get options() {
    return this.session.warehouses.map(({ code, name }) => {
      const figure = `${number(this[this.figure](code))} ${WORDS[this.figure]}`;
      return { value: code, label: `${name}: ${this.#levels.has(code) ? figure : 'not stocked'}` };
    });
  }

  /** Keeps the levels and the choice `name` current until the dialog is closed. Tells `changed` the warehouses. */
  subscribe(dialog, { name = null, changed = () => {} } = {}) {
    const listener = ({ level }) => {
      if (level.item.id !== this.item.id) return;
      const { code } = level.warehouse;
      this.set(code, level);
      changed(code);
      if (name) dialog.field(name).options = this.options;
      dialog.refresh();
    };
    this.session.changes.listen(listener, dialog.signal);
  }
}
