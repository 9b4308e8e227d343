// The token of this window, from the URL or from the form. It is kept until the window is closed.

const KEY = 'gqlstock.token';

/** The token in the URL, which is removed from it immediately, else the stored one. */
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
