// Marks a product as in stock, out of stock or discontinued, whatever its figures are.

import { itemOf } from '../client/item_of.js';
import { ITEM_STATUS, SET_STATUS } from '../documents/status.js';
import { ActionDialog } from '../elements/dialog.js';

const STATUSES = [
  { value: 'IN_STOCK', label: 'In stock', marked: 'in stock again' },
  { value: 'OUT_OF_STOCK', label: 'Out of stock', marked: 'out of stock' },
  { value: 'DISCONTINUED', label: 'Discontinued', marked: 'discontinued' },
];

// Combinations have the status of their product. A token for some warehouses may not set it.
const fits = ({ tracking }, { viewer }) => Boolean(tracking) && !viewer.warehouses;

export const status = { label: 'Set status…', scope: 'inventory:write', fits, open };

/** Opens the dialog for a product with `sku` and `name`. */
async function open(session, item, signal) {
  const product = await itemOf(session.server, ITEM_STATUS, item.sku, signal);
  new ActionDialog(session, {
    title: 'Set status',
    about: `${item.name} · ${item.sku}`,
    send: 'Set',
    document: SET_STATUS,
    keyed: false,
    fields: [
      {
        name: 'status',
        label: 'Status',
        type: 'choice',
        options: STATUSES,
        value: product.inventoryStatus,
        required: true,
        paths: ['sku', 'status'],
      },
    ],
    input: ({ status: chosen }) => ({ sku: item.sku, status: chosen }),
    preview: ({ status: chosen }) => effect(chosen, product),
    done: ({ product: { name, inventoryStatus } }) => {
      const { marked } = STATUSES.find(({ value }) => value === inventoryStatus);
      session.notices.show(`${name} is marked as ${marked}. ${effect(inventoryStatus, product)}`);
    },
  });
}

/** What shops do, by the settings of the product. */
function effect(chosen, { inventorySettings: { visibleStatuses, orderableStatuses } }) {
  const isShown = visibleStatuses.includes(chosen);
  if (!isShown) return 'Shops do not show it.';
  if (chosen === 'IN_STOCK') return 'Shops sell it as its stock allows.';
  if (orderableStatuses.includes(chosen)) return 'Shops show it so, and still sell it.';
  return 'Shops show it, and do not sell it, even if there are units.';
}
