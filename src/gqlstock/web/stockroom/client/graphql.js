// A client for the server: requests, and subscriptions that resume from their last cursor after a disconnect. Callers
// interpret the responses.

import { endingWith } from './ending.js';

/** The token is invalid, revoked or expired. */
export class Refused extends Error {}
/** There was no answer, or only a passing error: whether a change was made is not known. It may succeed later. */
export class Unanswered extends Error {}
/** The cursor is older than the events the server keeps. */
export class CursorExpired extends Error {}
/** The server rejected the request. The message is the server's. */
export class ServerError extends Error {}

const LATER = new Set([408, 429, 502, 503, 504]);
// Errors that may be temporary, such as while the server's database is unavailable.
const PASSING = new Set(['INTERNAL', 'TIMEOUT', 'TOO_MANY_REQUESTS']);
const FIRST_PAUSE = 400;
const LONGEST_PAUSE = 8_000;
const LONGEST_ASK = 40_000;
// The server sends a comment every 15 seconds, so a stream that is silent for this long is dead.
const LONGEST_SILENCE = 40_000;
const LEAST_AHEAD = 5_000;
// Browsers allow six HTTP/1.1 connections per host. A hidden window releases its own.
const LONGEST_UNSEEN = 30_000;

export class Server {
  #token;
  #ahead = 0;

  /** `signal` aborts all requests; `refused` is called with a message when the token is refused. */
  constructor({ token, connection, signal, refused }) {
    this.#token = token;
    this.connection = connection;
    this.signal = signal;
    this.refused = refused;
  }

  /** A name shared only by windows with the same token. */
  named(what) {
    return `gqlstock ${what} ${this.#token}`;
  }

  /** The server's time, as far as known. The local clock may be wrong. */
  now() {
    return Date.now() + this.#ahead;
  }

  /** The data of a response. Retries until there is one. */
  async ask(text, variables = {}, signal = this.signal) {
    const name = Symbol('ask');
    try {
      return await this.#persist(name, signal, () => this.#request(text, variables, signal));
    } finally {
      this.connection.forget(name);
    }
  }

  /** Like `ask`, but without retries: for mutations. */
  async change(text, variables) {
    try {
      return await this.#request(text, variables, this.signal);
    } catch (error) {
      this.#notice(error);
      throw error;
    }
  }

  /**
   * Passes each event to `next` until `signal` is aborted. A new connection resumes after the last event's `cursor`.
   * `open` is called for each connection. With `rests`, the connection is closed while the page is hidden.
   */
  async subscribe(text, variables, { next, open = () => {}, rests = false, signal }) {
    const name = Symbol('stream');
    const given = { ...variables };
    try {
      await this.#persist(name, signal, async (well) => {
        if (rests) await seen(signal);
        const opened = () => {
          well();
          this.connection.found(name);
          open();
        };
        for await (const data of this.#pushes(text, given, { opened, rests, signal })) {
          const [push] = Object.values(data);
          given.after = push.cursor;
          next(push);
        }
        throw new Unanswered('The stream has ended.');
      });
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      this.connection.forget(name);
    }
  }

  /** Retries `attempt` with exponential backoff. The callback it receives resets the backoff. */
  async #persist(name, signal, attempt) {
    let pause = FIRST_PAUSE;
    for (;;) {
      try {
        const answer = await attempt(() => (pause = FIRST_PAUSE));
        this.connection.found(name);
        return answer;
      } catch (error) {
        if (signal.aborted) throw error;
        this.#notice(error);
        if (!(error instanceof Unanswered)) throw error;
        this.connection.lost(name);
        await waited(pause * (0.75 + Math.random() / 2), signal);
        pause = Math.min(pause * 2, LONGEST_PAUSE);
      }
    }
  }

  /** Measures the offset of the server's clock. The Date header has whole seconds, so small offsets are ignored. */
  #compare(theirs) {
    const ahead = theirs - Date.now();
    this.#ahead = Math.abs(ahead) > LEAST_AHEAD ? ahead : 0;
  }

  #notice(error) {
    if (error instanceof Refused) this.refused(error.message);
  }

  async #request(text, variables, signal) {
    const attempt = endingWith(signal);
    const timer = setTimeout(() => attempt.abort(), LONGEST_ASK);
    try {
      const response = await this.#send(text, variables, 'application/json', attempt.signal);
      const { data, errors } = await response.json().catch(unanswered);
      complain(errors);
      return data;
    } finally {
      clearTimeout(timer);
      attempt.abort();
    }
  }

  async *#pushes(text, variables, { opened, rests, signal }) {
    const attempt = endingWith(signal);
    const watch = new Watch(attempt, rests);
    try {
      const response = await this.#send(text, variables, 'text/event-stream', attempt.signal);
      if (!response.headers.get('content-type')?.startsWith('text/event-stream')) {
        complain((await response.json().catch(unanswered)).errors);
        unanswered();
      }
      opened();
      for await (const event of events(response.body, watch)) {
        if (event.name !== 'next') continue;
        const { data, errors } = JSON.parse(event.data);
        complain(errors);
        yield data;
      }
    } finally {
      watch.end();
      attempt.abort();
    }
  }

  async #send(text, variables, accept, signal) {
    const response = await fetch(new URL('graphql', document.baseURI), {
      method: 'POST',
      cache: 'no-store',
      credentials: 'omit',
      headers: { Accept: accept, Authorization: `Bearer ${this.#token}`, 'Content-Type': 'application/json' },
      body: JSON.stringify({ query: text, variables }),
      signal,
    }).catch(unanswered);
    this.#compare(Date.parse(response.headers.get('date')));
    if (response.status === 401) throw new Refused('The token was refused: it is wrong, was revoked or has expired.');
    if (LATER.has(response.status)) throw new Unanswered(`The server answered ${response.status}.`);
    return response;
  }
}

/** Aborts a stream that is silent for too long, or whose page is hidden. */
class Watch {
  #attempt;
  #silence;
  #unseen;
  #listening = new AbortController();

  constructor(attempt, rests) {
    this.#attempt = attempt;
    this.heard();
    if (!rests) return;
    const check = () => {
      clearTimeout(this.#unseen);
      if (document.hidden) this.#unseen = setTimeout(() => attempt.abort(), LONGEST_UNSEEN);
    };
    check();
    document.addEventListener('visibilitychange', check, { signal: this.#listening.signal });
  }

  heard() {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => this.#attempt.abort(), LONGEST_SILENCE);
  }

  end() {
    clearTimeout(this.#silence);
    clearTimeout(this.#unseen);
    this.#listening.abort();
  }
}

function complain(errors) {
  if (!errors?.length) return;
  const [{ message, extensions }] = errors;
  if (extensions?.code === 'UNAUTHENTICATED') throw new Refused(message);
  if (extensions?.code === 'INVALID_CURSOR') throw new CursorExpired(message);
  if (PASSING.has(extensions?.code)) throw new Unanswered(message);
  throw new ServerError(message);
}

function unanswered() {
  throw new Unanswered('The server is not responding.');
}

/** Yields the events of a stream as they complete. */
async function* events(body, watch) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (;;) {
    const { done, value } = await reader.read().catch(unanswered);
    if (done) return;
    watch.heard();
    const blocks = (rest + value).split('\n\n');
    rest = blocks.pop();
    yield* blocks.map(event);
  }
}

function event(block) {
  const found = { name: '', data: '' };
  for (const line of block.split('\n')) {
    if (line.startsWith('event: ')) found.name = line.slice(7);
    else if (line.startsWith('data: ')) found.data += line.slice(6);
  }
  return found;
}

/** A pause that ends early when the network is back, and with the signal. */
export const waited = (milliseconds, signal) => first([window, 'online'], [signal, 'abort'], milliseconds);

async function seen(signal) {
  while (document.hidden && !signal.aborted) await first([document, 'visibilitychange'], [signal, 'abort']);
}

/** Waits for the first of two events, or for a number of milliseconds. */
async function first(one, other, milliseconds) {
  const { promise, resolve } = Promise.withResolvers();
  const listening = new AbortController();
  for (const [target, name] of [one, other]) target.addEventListener(name, resolve, { signal: listening.signal });
  const timer = milliseconds === undefined ? undefined : setTimeout(resolve, milliseconds);
  await promise;
  clearTimeout(timer);
  listening.abort();
}
