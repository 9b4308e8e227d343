// The pages by path, and which one is shown. What a page shows is in the query of its URL, so that a link, the back button
// and a reload lead to the same view.

import { element } from '../elements/element.js';
import { endingWith } from './ending.js';

/** The relative URL of a page. Parameters without a value are left out. */
export function address(path, params = {}) {
  const given = Object.entries(params).filter(([, value]) => value !== null && value !== undefined && value !== '');
  const query = new URLSearchParams(given).toString();
  return `./${path}${query ? `?${query}` : ''}`;
}

/**
 * A page is a class with a static `path` and `title`, and a static `scope` if its token needs one. Without the scope, a
 * sentence is in its place. It is made with the session, a signal that is aborted when the page is left, and `go`. Its `node`
 * is what is shown. `update` is called with the parameters of the URL: when the page is opened, and each time they change.
 */
export class Router {
  #Page = null;
  #page = null;
  #query = null;
  #left = new AbortController();

  /** `pages`: all pages, the first one for unknown paths. `place`: where they are shown. `shown` is called with each page. */
  constructor(session, { pages, place, shown }) {
    this.session = session;
    this.pages = pages;
    this.place = place;
    this.shown = shown;
    const { signal } = session.server;
    window.addEventListener('popstate', () => this.#show(), { signal });
    document.addEventListener('click', (event) => this.#clicked(event), { signal });
    signal.addEventListener('abort', () => place.replaceChildren());
    this.#show();
  }

  /** Goes to a relative URL. With `replace`, the back button does not return to the current one. */
  go(target, { replace = false } = {}) {
    const { href } = new URL(target, document.baseURI);
    // The back button does not lead to the same page either.
    history[replace || href === location.href ? 'replaceState' : 'pushState'](null, '', href);
    this.#show();
  }

  /** Links between pages need no new document. */
  #clicked(event) {
    const link = event.target.closest('a[href]');
    if (!link || link.target || link.hasAttribute('download') || event.defaultPrevented) return;
    if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const url = new URL(link.href);
    const isHere = url.origin === location.origin && folder(url) === folder(location) && !url.hash;
    if (!isHere || !this.#named(url)) return;
    event.preventDefault();
    this.go(link.href);
  }

  #named({ pathname }) {
    const path = pathname.slice(pathname.lastIndexOf('/') + 1);
    return this.pages.find((page) => page.path === path) ?? (path === '' ? this.pages[0] : null);
  }

  #show() {
    const Page = this.#named(location) ?? this.pages[0];
    const isNew = this.#Page !== Page;
    // The browser reports a link to a part of the page as well.
    if (!isNew && this.#query === location.search) return;
    if (isNew) this.#open(Page);
    this.#query = location.search;
    this.#page.update?.(new URLSearchParams(location.search));
  }

  #open(Page) {
    const isFirst = this.#Page === null;
    this.#Page = Page;
    this.#left.abort();
    this.#left = endingWith(this.session.server.signal);
    const go = (target, options) => this.go(target, options);
    const isAllowed = !Page.scope || this.session.may(Page.scope);
    this.#page = isAllowed ? new Page(this.session, { go, signal: this.#left.signal }) : { node: refusal(Page) };
    this.place.replaceChildren(this.#page.node);
    document.title = `${Page.title} · gqlstock`;
    this.shown(Page);
    if (isFirst) return;
    window.scrollTo(0, 0);
    this.place.querySelector('h1')?.focus();
  }
}

/** What is shown in place of a page that the token may not see. */
const refusal = ({ title, scope }) =>
  element(
    'section',
    { class: 'card', 'aria-labelledby': 'refusal-title' },
    element('h1', { id: 'refusal-title', tabindex: '-1' }, title),
    element('p', { class: 'sentence' }, `This token may not see this page: it lacks the scope ${scope}.`),
  );

const folder = ({ pathname }) => pathname.slice(0, pathname.lastIndexOf('/'));
