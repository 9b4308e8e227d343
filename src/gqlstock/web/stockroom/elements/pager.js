// The links to the next and the previous page of a list, and which page is shown.

import { element } from './element.js';
import { number } from './figures.js';

export class Pager {
  #previous = element('a', { class: 'button' }, 'Previous');
  #next = element('a', { class: 'button' }, 'Next');
  #words = element('p', { class: 'quiet' });
  #page = 1;

  /** `label` names the links. */
  constructor(label) {
    this.node = element(
      'nav',
      { class: 'pager', 'aria-label': label, hidden: true },
      this.#previous,
      this.#words,
      this.#next,
    );
  }

  /**
   * `page` is shown, which has up to `size` of `total` rows, and this `pageInfo`. `url(parameters)`: the URL of another page,
   * which is found by its cursor. The number of the page is for people only.
   */
  show({ page, size, total, pageInfo, url }) {
    const { hasPreviousPage, hasNextPage, startCursor, endCursor } = pageInfo;
    const before = page <= 2 ? {} : { before: startCursor, page: page - 1 };
    lead(this.#previous, page > 1 || hasPreviousPage ? url(before) : null);
    lead(this.#next, hasNextPage ? url({ after: endCursor, page: page + 1 }) : null);
    this.#words.textContent = `Page ${number(page)} of ${number(Math.max(Math.ceil(total / size), page))}`;
    this.node.hidden = page === 1 && !hasPreviousPage && !hasNextPage;
    // The link may lead nowhere now, and the new page is read from its beginning.
    const wasFollowed = page !== this.#page && this.node.contains(document.activeElement);
    if (wasFollowed) this.node.closest('section').querySelector('h1, h2').focus();
    this.#page = page;
  }
}

/** A link without a URL cannot be followed. It stays, so that nothing moves. */
function lead(link, url) {
  if (url) link.href = url;
  else link.removeAttribute('href');
  link.setAttribute('aria-disabled', String(!url));
}
