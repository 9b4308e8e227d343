// What can be done with an item, in the order in which menus offer it.

import { Refused } from '../client/graphql.js';
import { adjust } from './adjust.js';
import { alertBelow } from './alert_below.js';
import { count } from './count.js';
import { receive } from './receive.js';
import { status } from './status.js';
import { transfer } from './transfer.js';

// `fits(item, session)`: whether it can be done with this item.
const ACTIONS = [adjust, count, receive, transfer, alertBelow, status];

/** Whether the token may do anything with items. */
export const mayAct = (session) => ACTIONS.some(({ scope }) => session.may(scope));

/**
 * What the token may do with an item: `[{ label, run }]`. `item`: `id`, `sku`, `name`, and the `tracking` of a product. A
 * combination has none.
 */
export function actionsOf(session, item) {
  const offered = ACTIONS.filter(({ scope, fits }) => session.may(scope) && fits(item, session));
  return offered.map(({ label, open }) => ({ label, run: () => run(session, open, item) }));
}

/** A dialog may have to read something first, which the server can refuse. */
async function run(session, open, item) {
  try {
    await open(session, item);
  } catch (error) {
    if (session.server.signal.aborted || error instanceof Refused) return;
    session.notices.show(error.message);
  }
}
