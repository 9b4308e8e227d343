// What the generated types take and refuse: tsc fails where a line below its mark is no error.
import type { OrderLineInput, ScanQuery, SettingScopeInput } from './__generated__/operations.js';

declare const answer: ScanQuery;
const item = answer.inventoryItem!;

export const onHand: number = item.inventoryTotals!.onHand;
export const changed: string = item.updatedAt;
export const line: OrderLineInput = { sku: 'MUG', quantity: '1.5' };
export const scope: SettingScopeInput = { website: 'shop' };
// @ts-expect-error: a Quantity is sent as a number
export const text: string = item.inventoryTotals!.onHand;
// @ts-expect-error: JSON has no dates
export const date: Date = item.updatedAt;
// @ts-expect-error
export const wrongLine: OrderLineInput = { sku: 'MUG', quantity: true };
// @ts-expect-error: exactly one place
export const twoPlaces: SettingScopeInput = { system: true, website: 'shop' };
