// Why an item can be ordered in this quantity: the sum behind it, in words.

import { nodes } from '../../client/paging.js';
import { address } from '../../client/router.js';
import { EXPLANATION, WEBSITES } from '../../documents/item.js';
import { element } from '../../elements/element.js';
import { number, signed } from '../../elements/figures.js';
import { originOf } from './setting_words.js';

export class Reason {
  #websites = null;

  constructor(session, { sku, isSum, go, signal }) {
    Object.assign(this, { session, sku, isSum, go, signal });
    this.place = element('span', {});
    this.body = element('div', { class: 'reason' });
    this.node = element(
      'section',
      { class: 'card', 'aria-labelledby': 'reason-title' },
      element('div', { class: 'card-head' }, element('h2', { id: 'reason-title' }, 'Why this number'), this.place),
      this.body,
    );
  }

  /** Reads the explanation for the website of the URL. */
  async read(params = this.params) {
    this.params = params;
    const { server } = this.session;
    this.#websites ??= await Array.fromAsync(nodes(server, WEBSITES, {}, this.signal));
    const website = params.get('website');
    const { explainAvailability } = await server.ask(EXPLANATION, { sku: this.sku, website }, this.signal);
    if (website !== this.params.get('website')) return;
    this.#show(explainAvailability);
  }

  #show(explanation) {
    if (!explanation)
      return void this.body.replaceChildren(element('p', { class: 'sentence' }, 'No website sells it.'));
    const { availability, terms } = explanation;
    this.#offer(availability.website);
    const rows = terms.map(({ text, quantity, origin }) =>
      element(
        'tr',
        {},
        element('td', { class: 'figure' }, signed(quantity)),
        element('td', {}, text, origin ? element('span', { class: 'quiet' }, originOf(origin, this.sku)) : null),
      ),
    );
    const sum = element(
      'tr',
      { class: 'sum' },
      element('td', { class: 'figure' }, salable(availability)),
      element('th', { scope: 'row' }, outcome(availability, terms, this.isSum)),
    );
    const label = 'What the number that can be ordered is made of';
    this.body.replaceChildren(
      element('table', { 'aria-label': label }, element('tbody', {}, ...rows, sum)),
      ...said(availability),
    );
  }

  #offer(current) {
    const site = this.#websites.find(({ code }) => code === current);
    if (this.#websites.length < 2)
      return this.place.replaceChildren(element('span', { class: 'quiet' }, site ? `in ${site.name}` : ''));
    if (this.select) return void (this.select.value = current);
    const change = () =>
      this.go(address('item', { sku: this.sku, range: this.params.get('range'), website: this.select.value }), {
        replace: true,
      });
    const options = this.#websites.map(({ code, name }) => element('option', { value: code }, name));
    this.select = element('select', { 'aria-label': 'Website', change }, ...options);
    this.select.value = current;
    this.place.replaceChildren(this.select);
  }
}

const salable = ({ salableQuantity }) => (salableQuantity === null ? '∞' : number(salableQuantity));

function outcome({ salableQuantity, orderable }, terms, isSum) {
  if (isSum) return 'of its combinations together. One of them is ordered, not the product.';
  if (salableQuantity === null)
    return terms.length
      ? 'Any quantity can be ordered: backorders have no limit.'
      : 'Any quantity can be ordered: its stock is not counted.';
  if (salableQuantity > 0 && !orderable) return 'are there, but it cannot be ordered now.';
  return 'can be ordered now.';
}

/** What shoppers read. */
const said = ({ message }) => (message ? [element('p', { class: 'quiet' }, `Shoppers read: “${message}”`)] : []);
