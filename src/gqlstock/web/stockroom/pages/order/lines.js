// The lines of an order: what became of their units, and where the rest is.

import { unshipped, waiting } from '../../actions/orders/units.js';
import { element } from '../../elements/element.js';
import { number } from '../../elements/figures.js';
import { itemName } from '../../elements/item_name.js';
import { Table } from '../../elements/table.js';
import { expected, expectedWords } from '../orders/state.js';

const figure = (name, head, of) => ({ name, head, figure: true, text: (line) => number(of(line)) });

export function linesTable() {
  return new Table({
    label: 'Items',
    columns: [
      {
        name: 'item',
        head: 'Item',
        heading: true,
        key: ({ sku, name, item }) => `${name} ${sku} ${item?.sku}`,
        node: ({ sku, name, item }) => itemName({ sku, name, link: item?.sku ?? null }),
      },
      figure('ordered', 'Ordered', ({ quantity }) => quantity),
      figure('unshipped', 'To come', unshipped),
      figure('shipped', 'Shipped', ({ shipped }) => shipped),
      figure('returned', 'Returned', ({ returned }) => returned),
      figure('canceled', 'Canceled', ({ canceled }) => canceled),
      { name: 'text places', head: 'Where', key: (line) => JSON.stringify(partsOf(line)), node: places },
    ],
  });
}

function places(line) {
  const parts = partsOf(line);
  if (!parts.length) return '–';
  const entry = ({ words, due, expectedAt }) => element('li', {}, words, due && expected(expectedAt));
  return element('ul', { class: 'parts' }, ...parts.map(entry));
}

/** The units that have not left, in words: how many, where, and when they are due if they wait. */
function partsOf(line) {
  return waiting({ lines: [line] }).map(({ quantity, state, warehouse, shipment, expectedAt }) => {
    const packed = shipment ? `, packed in ${shipment.number}` : '';
    if (state === 'ON_HAND') return { words: `${number(quantity)} on hand in ${warehouse.name}${packed}`, due: null };
    const words = `${number(quantity)} on backorder in ${warehouse.name}${packed}, `;
    return { words, due: expectedWords(expectedAt), expectedAt };
  });
}
