// Says what came of an action, below the page, with at most one offer such as to undo it. It stays until it is closed or
// another notice takes its place.

import { element } from './element.js';

export class Notices {
  #place;
  // Screen readers announce what changes in a status that is there already.
  #status = element('div', { role: 'status' });
  #current = null;

  constructor(place) {
    this.#place = place;
    place.replaceChildren(this.#status);
  }

  /** Shows a text. `offer`: `{ label, run }`, a button. Returns a function that takes the offer back. */
  show(text, offer = null) {
    this.#current?.remove();
    const button = offer && element('button', { type: 'button', click: offer.run }, offer.label);
    const close = element(
      'button',
      { type: 'button', 'aria-label': 'Close this notice', click: () => this.#current.remove() },
      '✕',
    );
    this.#current = element('div', { class: 'notice' }, element('p', {}, text), button, close);
    this.#status.replaceChildren(this.#current);
    this.#place.hidden = false;
    return () => button?.remove();
  }
}
