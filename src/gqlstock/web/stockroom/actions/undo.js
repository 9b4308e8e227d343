// Undo: offered after an action, while its movement is the newest of its level. The server refuses it when it is not.

import { Action } from '../client/action.js';
import { endingWith } from '../client/ending.js';
import { COUNT } from '../documents/actions.js';
import { minus } from '../elements/figures.js';

/**
 * Says what was done, and offers to undo it. `movement` has `id`, `quantity`, `onHandAfter`, and `level` with its names.
 * `also`: the other movements of the action; `document` and `input`: what undoes it, if it is not a count.
 */
export function offerUndo(
  session,
  text,
  movement,
  { also = [], document = COUNT, input = countBefore(movement) } = {},
) {
  const newest = endingWith(session.server.signal);
  const action = new Action(session.server, document);
  const ids = new Map([movement, ...also].map(({ id, level }) => [level.id, id]));
  const run = async () => {
    newest.abort();
    show(session, text, await action.send(input), run);
  };
  const withdraw = session.notices.show(text, { label: 'Undo', run });
  const seen = ({ level, movement: later }) => {
    if (!ids.has(level.id) || !later || later.id === ids.get(level.id)) return;
    newest.abort();
    withdraw();
  };
  session.changes.listen(seen, newest.signal);
}

/** The count that leads back to the quantity before the movement, and only from the quantity after it. */
function countBefore({ quantity, onHandAfter, level: { item, warehouse } }) {
  const count = {
    sku: item.sku,
    warehouse: warehouse.code,
    onHand: minus(onHandAfter, quantity),
    expectedOnHand: onHandAfter,
  };
  return { counts: [count], reason: 'Undone' };
}

function show({ notices }, text, outcome, run) {
  if (!outcome) return;
  const { payload, errors } = outcome;
  if (payload) notices.show(`Undone: ${text}`);
  else if (errors) notices.show(`Not undone. ${errors.map(({ message }) => message).join(' ')}`);
  else
    notices.show('The server did not answer, so it is not known whether this was undone.', {
      label: 'Undo again',
      run,
    });
}
