// The state of an item's stock, in the list and on its page.

/**
 * A shape and words; null while it is not known. `counted`: whether its stock is counted; `hasLevels`: whether it has levels of
 * its own; `status`: that of its product; `isLow`: whether an alert is open, null while that is not known.
 */
export function stateOf({ counted, status, totals, hasLevels, isLow }) {
  if (!counted) return ['uncounted', 'Not counted'];
  if (status === 'DISCONTINUED') return ['taken', 'Discontinued'];
  if (status === 'OUT_OF_STOCK') return ['out', 'Marked out'];
  if (totals.available <= 0) return ['out', 'Out of stock'];
  if (hasLevels && isLow === null) return null;
  return isLow ? ['low', 'Low'] : ['enough', 'In stock'];
}
