// The links to the next and the previous page of a list, and where it is.

import { element } from './element.js';

export class Pager {
  #previous = element('a', { class: 'button' }, 'Previous');
  #next = element('a', { class: 'button' }, 'Next');
  #place = element('p', { class: 'quiet' });

  /** `label` names the links. */
  constructor(label) {
    this.node = element(
      'nav',
      { class: 'pager', 'aria-label': label, hidden: true },
      this.#previous,
      this.#place,
      this.#next,
    );
  }

  /** `previous` and `next`: URLs, or null where there is no such page; `place`: such as "51–100 of 1,234". */
  show({ previous, next, place }) {
    lead(this.#previous, previous);
    lead(this.#next, next);
    this.#place.textContent = place;
    this.node.hidden = !previous && !next;
  }
}

/** A link without a URL cannot be followed. It stays, so that nothing moves. */
function lead(link, url) {
  if (url) link.href = url;
  else link.removeAttribute('href');
  link.setAttribute('aria-disabled', String(!url));
}
