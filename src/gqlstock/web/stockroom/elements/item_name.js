// The name of an item in a list, which leads to its page, and its SKU.

import { address } from '../client/router.js';
import { element } from './element.js';

/** `sku` is shown, `link` leads to the page: an order keeps the SKU of its time. No link without one. */
export const itemName = ({ name, sku, link = sku }) =>
  element(
    'div',
    {},
    link
      ? element('a', { class: 'name', href: address('item', { sku: link }) }, name)
      : element('span', { class: 'name' }, name),
    element('span', { class: 'quiet sku' }, sku),
  );
