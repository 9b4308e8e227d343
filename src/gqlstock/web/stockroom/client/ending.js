// Linked abort controllers: a page of levels ends with the session, a request with the page that sent it.

/** A controller that is aborted with its parent, or earlier. */
export function endingWith(parent) {
  const made = new AbortController();
  if (parent.aborted) made.abort();
  else parent.addEventListener('abort', () => made.abort(), { signal: made.signal });
  return made;
}
