// Starts an action whose dialog may have to read something first, which the server can refuse.

import { Refused } from '../client/graphql.js';

export async function started(session, open) {
  try {
    await open();
  } catch (error) {
    if (session.server.signal.aborted || error instanceof Refused) return;
    session.notices.show(error.message);
  }
}
