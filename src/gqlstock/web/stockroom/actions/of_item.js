// What can be done with an item, in the order in which menus offer it.

import { adjust } from './adjust.js';
import { alertBelow } from './alert_below.js';
import { count } from './count.js';
import { receive } from './receive.js';
import { started } from './started.js';
import { status } from './status.js';
import { transfer } from './transfer.js';

// `fits(item, session)`: whether it can be done with this item.
const ACTIONS = [adjust, count, receive, transfer, alertBelow, status];

/** Whether the token may do anything with items. */
export const mayAct = (session) => ACTIONS.some(({ scope }) => session.may(scope));

/**
 * What the token may do with an item: `[{ label, run }]`. `item`: `id`, `sku`, `name`, and the `tracking` of a product. A
 * combination has none. `signal` is aborted when the page is left.
 */
export function actionsOf(session, item, signal) {
  const offered = ACTIONS.filter(({ scope, fits }) => session.may(scope) && fits(item, session));
  return offered.map(({ label, open }) => ({
    label,
    run: () => started(session, () => open(session, item, signal), signal),
  }));
}
