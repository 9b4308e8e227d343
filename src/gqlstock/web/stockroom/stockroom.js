// Assembles the stockroom: signs in, shows the navigation, and the page of the URL.

import { LevelChanges } from './client/level_changes.js';
import { nodes } from './client/paging.js';
import { Router, address } from './client/router.js';
import { start } from './client/session.js';
import { WAREHOUSES } from './documents/session.js';
import { element } from './elements/element.js';
import { Notices } from './elements/notice.js';
import * as scheme from './elements/scheme.js';
import { Incoming } from './pages/incoming.js';
import { Item } from './pages/item.js';
import { OrderPage } from './pages/order.js';
import { Orders } from './pages/orders.js';
import { Overview } from './pages/overview.js';
import { Stock } from './pages/stock.js';

// In the order of the navigation. A page without `inNavigation` is reached by links; it may be `within` another one.
const PAGES = [Overview, Stock, Orders, OrderPage, Incoming, Item];

const nav = document.getElementById('nav');
const place = document.getElementById('place');

scheme.start();
start({ open, clear });

function clear() {
  for (const part of [nav, place, document.getElementById('notices')]) part.replaceChildren();
  document.querySelectorAll('dialog').forEach((dialog) => dialog.remove());
}

async function open({ server, viewer, may, said }) {
  const everyWarehouse = await Array.fromAsync(nodes(server, WAREHOUSES));
  server.signal.throwIfAborted();
  const notices = new Notices(document.getElementById('notices'));
  // A token may be limited to some warehouses. It can still ship to the others.
  const warehouses = everyWarehouse.filter(({ code }) => viewer.warehouses?.includes(code) ?? true);
  const news = { changes: new LevelChanges(), saved: new EventTarget() };
  const session = { server, viewer, may, warehouses, everyWarehouse, notices, ...news };
  const linked = PAGES.filter(({ inNavigation, scope }) => inNavigation && (!scope || may(scope)));
  const links = new Map(linked.map((page) => [page, linkTo(page)]));
  nav.append(...links.values());
  const shown = (page) => {
    for (const link of links.values()) link.removeAttribute('aria-current');
    links.get(page.within ?? page)?.setAttribute('aria-current', 'page');
  };
  new Router(session, { pages: PAGES, place, shown });
  if (said) notices.show(said);
}

const linkTo = ({ path, title }) => element('a', { href: address(path) }, title);
