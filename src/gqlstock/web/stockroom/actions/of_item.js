// What can be done with an item, in the order in which menus offer it.

import { Refused } from '../client/graphql.js';
import { adjust } from './adjust.js';

const ACTIONS = [adjust];

/** The actions that the token may take: `[{ label, run }]`, for an item with `id`, `sku` and `name`. */
export function actionsOf(session, item) {
  return ACTIONS.filter(({ scope }) => session.may(scope)).map(({ label, open }) => ({
    label,
    run: () => run(session, open, item),
  }));
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
