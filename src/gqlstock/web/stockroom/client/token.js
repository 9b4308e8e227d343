// The token of this window, from the URL or from the form. It is kept until the window is closed.

const KEY = 'gqlstock.token';
const UNANSWERED = 'The server did not answer. Open the link again, or ask for a new one.';

/** What was given is no token, or a link that could not be exchanged for one. */
export class NoEntry extends Error {}

/** The token of the URL, or the one that the code of a sign-in link is exchanged for, else the kept one, else null. */
export async function current() {
  const { token, code } = brought();
  // Out of the address and the history, before anything is waited for.
  if (token || code) history.replaceState(null, '', location.pathname + location.search);
  if (token || code) keep(token ?? (await exchanged(code)));
  return kept();
}

export const kept = () => sessionStorage.getItem(KEY);

export const isBrought = () => Object.values(brought()).some(Boolean);

function brought() {
  const given = new URLSearchParams(location.hash.slice(1));
  return { token: given.get('token'), code: given.get('code') };
}

/** Uses up a sign-in link. Not retried: if an answer is lost, the server knows the link as used. */
async function exchanged(code) {
  const response = await fetch(new URL('sign-in', document.baseURI), {
    method: 'POST',
    cache: 'no-store',
    credentials: 'omit',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ code }),
  }).catch(() => null);
  const answer = await response?.json().catch(() => null);
  if (!answer?.token) throw new NoEntry(answer?.message ?? UNANSWERED);
  return answer.token;
}

export function keep(token) {
  const text = token.trim();
  // A header cannot carry other characters, such as those that a chat adds to a copy.
  if (!/^[\x21-\x7e]+$/.test(text)) throw new NoEntry('This is not a token. Copy it again.');
  sessionStorage.setItem(KEY, text);
}

export function forget() {
  sessionStorage.removeItem(KEY);
}
