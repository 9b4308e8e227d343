// Starts an action whose dialog may have to read something first, which the server can refuse.

import { Refused, ServerError } from '../client/graphql.js';

let isOpening = false;

/**
 * Opens a dialog, unless one is about to open: a second click must not open a second one. `signal` is aborted when the page
 * is left, and with it what `open` reads.
 */
export async function started({ notices }, open, signal) {
  if (isOpening) return;
  isOpening = true;
  document.body.classList.add('opening');
  try {
    await open();
  } catch (error) {
    if (signal.aborted || error instanceof Refused) return;
    if (!(error instanceof ServerError)) throw error;
    notices.show(error.message);
  } finally {
    isOpening = false;
    document.body.classList.remove('opening');
  }
}
