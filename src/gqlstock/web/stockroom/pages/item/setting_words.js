// The settings in words of the trade: their names, their values, and where they come from.

import { number, spoken, when } from '../../elements/figures.js';

const QUANTITY = { type: 'quantity' };
const FLAG = { type: 'choice', values: { true: 'Yes', false: 'No' } };
const choice = (values) => ({ type: 'choice', values });

/** The settings in the order in which they are shown. `atLevel`: it can also be set for one warehouse. */
export const SETTINGS = {
  notifyBelow: {
    ...QUANTITY,
    label: 'Alert below',
    atLevel: true,
    none: 'Never',
    hint: 'An alert opens when fewer are available. One warehouse is watched alone if it has a value of its own.',
  },
  backorders: {
    ...choice({
      NO_BACKORDERS: 'Not taken',
      ALLOW: 'Taken',
      ALLOW_AND_NOTIFY_CUSTOMER: 'Taken, and shoppers are told',
    }),
    label: 'Backorders',
    atLevel: true,
  },
  outOfStockThreshold: {
    type: 'signed',
    label: 'Safety stock, or backorder limit',
    hint: 'Above 0: units that are never sold. Below 0: how many may be on backorder.',
  },
  backordersFromIncoming: { ...FLAG, label: 'Backorders only from incoming stock' },
  incomingBufferDays: { type: 'whole', label: 'Days from arrival until it can leave' },
  manageStock: { ...FLAG, label: 'Stock is counted' },
  decrementInventory: {
    ...choice({ ON_ORDER: 'When they are ordered', ON_SHIPMENT: 'When they leave', NEVER: 'Never' }),
    label: 'Units are taken off',
  },
  insufficientStock: {
    ...choice({ REJECT: 'It is refused', HOLD_ORDER: 'It is parked' }),
    label: 'An order without enough stock',
  },
  sourceSelection: {
    ...choice({ PRIORITY: 'By priority', DISTANCE: 'The nearest' }),
    label: 'Which warehouse supplies first',
  },
  minimumOrderQuantity: { ...QUANTITY, label: 'At least in one order', none: 'No minimum' },
  maximumOrderQuantity: { ...QUANTITY, label: 'At most in one order', none: 'No maximum' },
  quantityIncrement: { ...QUANTITY, label: 'In multiples of', none: 'Any' },
  allowedQuantities: { type: 'numbers', label: 'Only these quantities', none: 'Any', hint: 'Such as 1, 6, 12.' },
  quantityUsesDecimals: { ...FLAG, label: 'Fractions of a unit', atLevel: true },
  allowMultipleBoxes: { ...FLAG, label: 'Fractions from more than one warehouse' },
  minimumStockQuantity: { ...QUANTITY, label: 'Low in the shop below', none: 'Never' },
  lowStockActivity: {
    ...choice({ NOTHING: 'Nothing', DISABLE_BUY_BUTTON: 'It cannot be bought', UNPUBLISH: 'It is hidden' }),
    label: 'What happens when it is low',
  },
  onlyXLeftThreshold: { ...QUANTITY, label: 'Shoppers see “only … left” from', none: 'Never' },
  highlightLowInventory: { ...FLAG, label: 'Marked as low in the shop' },
  lowInventoryThreshold: { ...QUANTITY, label: 'Marked as low in the shop from' },
  displayAvailability: { ...FLAG, label: 'Shoppers see more than the status' },
  displayStockQuantity: { ...FLAG, label: 'Shoppers see the quantity' },
  allowBackInStockSubscriptions: { ...FLAG, label: 'Shoppers can ask for an e-mail when it is back' },
  availabilityRange: { type: 'text', label: 'Available within', none: 'Not said', hint: 'Such as 2-4 weeks.' },
  upcoming: { ...FLAG, label: 'Announced, not available yet' },
  availabilityDate: { type: 'date', label: 'Available from', none: 'No date' },
  hideLabelsPastAvailabilityDate: { ...FLAG, label: 'Hide both once that date has passed' },
  returnable: { ...FLAG, label: 'Can be returned' },
  restockOnReturn: { ...FLAG, label: 'Returned units are sold again' },
  allowOnlyExistingCombinations: { ...FLAG, label: 'Only existing combinations' },
  visibleStatuses: { type: 'statuses', label: 'Shown while', hint: 'IN_STOCK, OUT_OF_STOCK, DISCONTINUED' },
  orderableStatuses: {
    type: 'statuses',
    label: 'Can be ordered while marked',
    hint: 'IN_STOCK, OUT_OF_STOCK, DISCONTINUED',
  },
};

/** A value as people say it. */
export function valueOf(name, value) {
  const { type, values, none } = SETTINGS[name];
  if (value === null || value.length === 0) return none ?? 'None';
  if (type === 'choice') return values[value] ?? spoken(String(value));
  if (type === 'statuses') return value.map(spoken).join(', ');
  if (type === 'numbers') return value.map(number).join(', ');
  if (type === 'date') return when(value);
  return type === 'text' ? value : number(value);
}

const PLACES = {
  LEVEL: (owner) => `Set for ${owner.slice(owner.lastIndexOf('@') + 1)} alone`,
  COMBINATION: () => 'Set for this combination',
  PRODUCT: (owner) => `Set for the product ${owner}`,
  CATEGORY: (owner) => `From the category ${owner}`,
  WEBSITE: (owner) => `From the website ${owner}`,
  ORGANIZATION: (owner) => `From the organization ${owner}`,
  SYSTEM: () => 'From the whole shop',
  DEFAULT: () => 'Nothing is set',
};

/** Where a value comes from, as the page of the item with this SKU says it. */
export const originOf = ({ scope, owner }, sku = null) =>
  owner !== null && owner === sku ? 'Set here' : PLACES[scope](owner);
