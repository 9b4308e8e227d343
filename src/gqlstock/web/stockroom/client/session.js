// A session: from the moment a token is there until the user signs out or the token is refused. Both the stockroom and the
// wall display sign in here.

import { entrance } from '../elements/entrance.js';
import { VIEWER } from '../documents/session.js';
import { Connection } from './connection.js';
import { Server, ServerError } from './graphql.js';
import * as tokens from './token.js';

const TITLE = 'Stock · gqlstock';
const SCOPE = 'inventory:read';

/**
 * Signs in, and again after each time that the user leaves. `open` shows the page for a session: `{ server, viewer, may }`,
 * and `said`, a sentence for the user or null. `clear` removes all that was shown. The page has the elements `#entrance`,
 * `#status`, `#viewer` and `#sign-out`.
 */
export function start({ open, clear }) {
  const form = entrance(document.getElementById('entrance'), (token) => signIn(token));
  let current = new AbortController();

  /** `given`: a token from the form. */
  async function signIn(given = null) {
    try {
      if (given) tokens.keep(given);
      const token = await tokens.current();
      if (token) show(token);
      else leave('');
    } catch (error) {
      if (!(error instanceof tokens.NoEntry)) throw error;
      // Who is signed in stays so.
      const kept = tokens.kept();
      if (kept) show(kept, error.message);
      else leave(error.message);
    }
  }

  /** Returns to the form and says why. */
  function leave(sentence) {
    current.abort();
    tokens.forget();
    clear();
    document.body.dataset.view = 'entrance';
    document.title = TITLE;
    form.show(sentence);
  }

  async function show(token, trouble = null) {
    current.abort();
    current = new AbortController();
    clear();
    const { signal } = current;
    document.body.dataset.view = 'open';
    const connection = new Connection(document.getElementById('status'), signal);
    const server = new Server({ token, connection, signal, refused: (sentence) => signal.aborted || leave(sentence) });
    try {
      const { viewer } = await server.ask(VIEWER);
      document.getElementById('viewer').textContent = viewer.name;
      const may = (scope) => viewer.scopes.includes(scope) || viewer.scopes.includes('admin');
      if (!may(SCOPE)) return leave(`This token may not see stock: it lacks the scope ${SCOPE}.`);
      await open({ server, viewer, may, said: trouble && `${trouble} You stay signed in as ${viewer.name}.` });
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof ServerError)) throw error;
      leave(error.message);
    }
  }

  document.getElementById('sign-out').addEventListener('click', () => leave('You are signed out in this window.'));
  window.addEventListener('hashchange', () => tokens.isBrought() && signIn());
  signIn();
}
