// What chooses the rows of a list: search, chips, warehouse, and the period of a link.

import { element } from './element.js';
import { date } from './figures.js';

const WHILE_TYPING = 250;

export class ListTools {
  #typing = null;
  #chips = new Map();

  /**
   * `search`: `{ label, placeholder }`. `shown`: the filters of the chips. `period`: what happened in the period of a view,
   * such as "Placed". `more`: further nodes. `view()` returns the current view.
   */
  constructor(session, { search, shown, period = '', more = [], view, go, signal }) {
    Object.assign(this, { period, view, go });
    this.search = element('input', {
      type: 'search',
      placeholder: search.placeholder,
      'aria-label': search.label,
      autocomplete: 'off',
      spellcheck: 'false',
      maxlength: 200,
      input: () => this.#typed(),
    });
    // What was typed is applied first: a click may lead to another page, or to another view of this one.
    document.addEventListener('click', () => this.#apply(), { capture: true, signal });
    signal.addEventListener('abort', () => clearTimeout(this.#typing));
    const options = session.warehouses.map(({ code, name }) => element('option', { value: code }, name));
    const chosen = () => go(view().with({ search: this.search.value.trim(), warehouse: this.warehouse.value }));
    this.warehouse = element(
      'select',
      { 'aria-label': 'Warehouse', change: chosen },
      element('option', { value: '' }, 'All warehouses'),
      ...options,
    );
    for (const [show, { label }] of Object.entries(shown))
      this.#chips.set(show, element('a', { class: 'chip' }, label));
    this.limit = element('a', { class: 'chip', 'aria-current': 'true', hidden: true });
    this.node = element(
      'search',
      { class: 'tools' },
      this.search,
      element('div', { class: 'chips' }, ...this.#chips.values(), this.limit),
      session.warehouses.length > 1 ? this.warehouse : null,
      ...more,
    );
  }

  /** Shows what is chosen. */
  show(view) {
    this.#stopWaiting();
    // Leaves a space at the end: somebody may be typing.
    if (this.search.value.trim() !== view.search) this.search.value = view.search;
    this.warehouse.value = view.warehouse;
    for (const [show, chip] of this.#chips) {
      chip.href = view.with({ show });
      if (show === view.show) chip.setAttribute('aria-current', 'true');
      else chip.removeAttribute('aria-current');
    }
    this.#showPeriod(view);
  }

  /** A chip with the period, which leads to the list without it. */
  #showPeriod(view) {
    this.limit.hidden = !view.hasPeriod;
    if (!view.hasPeriod) return;
    const words = [view.since && `from ${date(view.since)}`, view.until && `to ${date(view.until)}`];
    this.limit.href = view.with({ since: '', until: '' });
    this.limit.replaceChildren(
      `${this.period} ${words.filter(Boolean).join(' ')}`,
      element('span', { class: 'unseen' }, ', remove'),
      element('span', { 'aria-hidden': 'true' }, ' ✕'),
    );
  }

  #typed() {
    this.#stopWaiting();
    this.#typing = setTimeout(() => this.#apply(), WHILE_TYPING);
  }

  #apply() {
    if (this.#typing === null) return;
    this.#stopWaiting();
    // The back button leads to before the search, not to each of its letters.
    this.go(this.view().with({ search: this.search.value.trim() }), { replace: true });
  }

  #stopWaiting() {
    clearTimeout(this.#typing);
    this.#typing = null;
  }
}
