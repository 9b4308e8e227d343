// A list that is read again when it may have changed.

import { atMost } from './pace.js';

const PAUSE = 2_000;
const PERIOD = 10_000;

/**
 * A function that runs `read` again, at most every two seconds. It also runs by itself, until `signal` is aborted: when a
 * dialog has saved something, and every ten seconds while the window is seen. Dates pass, and a filter may select what no news
 * is about.
 */
export function refreshed({ saved }, read, signal) {
  const again = atMost(PAUSE, () => signal.aborted || read());
  const timer = setInterval(() => document.hidden || again(), PERIOD);
  saved.addEventListener('saved', again, { signal });
  signal.addEventListener('abort', () => clearInterval(timer));
  return again;
}
