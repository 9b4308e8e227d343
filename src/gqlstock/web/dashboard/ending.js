// What ends together: a page of levels with the session, a request with the page that wanted it.

/** A controller that is aborted with its parent, or before. */
export function endingWith(parent) {
  const made = new AbortController();
  if (parent.aborted) made.abort();
  else parent.addEventListener('abort', () => made.abort(), { signal: made.signal });
  return made;
}
