// What chooses the items of the stock page: search, chips, warehouse, and the file of what is chosen.

import { endingWith } from '../../client/ending.js';
import { element } from '../../elements/element.js';
import { Refused } from '../../client/graphql.js';
import { number } from '../../elements/figures.js';
import { saveItems } from './file.js';
import { SHOWN } from './view.js';

const WHILE_TYPING = 250;
const SAVE = 'Save as CSV';

export class Tools {
  #typing;
  #chips = new Map();
  #saving = null;

  /** `view()` returns the current view; `go` leads to another one. */
  constructor(session, { view, go, signal }) {
    Object.assign(this, { session, view, signal });
    this.search = element('input', {
      type: 'search',
      id: 'stock-search',
      placeholder: 'Name, SKU or barcode',
      'aria-label': 'Search by name, SKU, code or barcode',
      autocomplete: 'off',
      spellcheck: 'false',
      maxlength: 200,
      input: () => this.#typed(go),
    });
    const options = session.warehouses.map(({ code, name }) => element('option', { value: code }, name));
    const chosen = () => go(view().with({ warehouse: this.warehouse.value }));
    this.warehouse = element(
      'select',
      { 'aria-label': 'Warehouse', change: chosen },
      element('option', { value: '' }, 'All warehouses'),
      ...options,
    );
    for (const [show, { label }] of Object.entries(SHOWN))
      this.#chips.set(show, element('a', { class: 'chip' }, label));
    this.sorter = element('span', { class: 'sorter-place' });
    this.file = element('button', { type: 'button', click: () => this.#save() }, SAVE);
    this.node = element(
      'search',
      { class: 'tools' },
      this.search,
      element('div', { class: 'chips' }, ...this.#chips.values()),
      session.warehouses.length > 1 ? this.warehouse : null,
      this.sorter,
    );
  }

  /** Shows what is chosen. */
  show(view) {
    // Somebody may be typing.
    if (document.activeElement !== this.search) this.search.value = view.search;
    this.warehouse.value = view.warehouse;
    for (const [show, chip] of this.#chips) {
      chip.href = view.with({ show });
      if (show === view.show) chip.setAttribute('aria-current', 'true');
      else chip.removeAttribute('aria-current');
    }
  }

  /** Saves the file. A second click, while it is read, stops it. */
  async #save() {
    if (this.#saving) return this.#saving.abort();
    this.#saving = endingWith(this.signal);
    const { signal } = this.#saving;
    const read = (count) => (this.file.textContent = `${number(count)} items read. Stop`);
    read(0);
    try {
      await saveItems(this.session, this.view(), { read, signal });
    } catch (error) {
      if (!signal.aborted && !(error instanceof Refused)) this.session.notices.show(error.message);
    }
    this.#saving.abort();
    this.#saving = null;
    this.file.textContent = SAVE;
  }

  #typed(go) {
    clearTimeout(this.#typing);
    this.#typing = setTimeout(() => {
      // The back button leads to before the search, not to each of its letters.
      go(this.view().with({ search: this.search.value.trim() }), { replace: true });
    }, WHILE_TYPING);
  }
}
