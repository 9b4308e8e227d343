// The token of this window: from the address, once, or from the form. It is kept until the window is closed.

const KEY = 'gqlstock.token';

/** The token that the address brings, which is at once removed from it, else the one that is kept. */
export function current() {
  const token = brought();
  if (token) {
    history.replaceState(null, '', location.pathname + location.search);
    keep(token);
  }
  return sessionStorage.getItem(KEY);
}

export const isBrought = () => Boolean(brought());

function brought() {
  return new URLSearchParams(location.hash.slice(1)).get('token');
}

export function keep(token) {
  sessionStorage.setItem(KEY, token.trim());
}

export function forget() {
  sessionStorage.removeItem(KEY);
}
