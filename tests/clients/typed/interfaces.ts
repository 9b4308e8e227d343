// Which types a fragment on an interface is for.
export const possibleTypes = {
  InventoryItem: ['Combination', 'Product'],
  UserError: [
    'InputError',
    'InsufficientStockError',
    'NotOrderableError',
    'QuantityNotAllowedError',
    'StaleQuantityError',
  ],
};
