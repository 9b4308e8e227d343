// What chooses the rows of a list: search, chips, and warehouse.

import { element } from './element.js';

const WHILE_TYPING = 250;

export class ListTools {
  #typing;
  #chips = new Map();

  /** `search`: `{ label, placeholder }`. `shown`: the filters of the chips. `view()` returns the current view. */
  constructor(session, { search, shown, view, go }) {
    this.view = view;
    this.search = element('input', {
      type: 'search',
      placeholder: search.placeholder,
      'aria-label': search.label,
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
    for (const [show, { label }] of Object.entries(shown))
      this.#chips.set(show, element('a', { class: 'chip' }, label));
    this.node = element(
      'search',
      { class: 'tools' },
      this.search,
      element('div', { class: 'chips' }, ...this.#chips.values()),
      session.warehouses.length > 1 ? this.warehouse : null,
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

  #typed(go) {
    clearTimeout(this.#typing);
    this.#typing = setTimeout(() => {
      // The back button leads to before the search, not to each of its letters.
      go(this.view().with({ search: this.search.value.trim() }), { replace: true });
    }, WHILE_TYPING);
  }
}
