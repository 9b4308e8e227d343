// The server as the dashboard knows it: asks that are answered once, and subscriptions that go on from their last cursor
// after every cut. What the answers mean is the business of who asks.

import { endingWith } from './ending.js';

/** The token stands for nobody, or not any more. */
export class Refused extends Error {}
/** There is no answer now; there may be one later. */
class Unanswered extends Error {}
/** The cursor is from before what the server keeps. */
export class Gap extends Error {}
/** What the server said of a question, in its own words. */
export class Told extends Error {}

const LATER = new Set([408, 429, 502, 503, 504]);
// Such as while the server's database is away.
const PASSING = new Set(['INTERNAL', 'TIMEOUT', 'TOO_MANY_REQUESTS']);
const FIRST_PAUSE = 400;
const LONGEST_PAUSE = 8_000;
const LONGEST_ASK = 40_000;
// The server sends a comment each 15 seconds: a stream that is quiet for longer is dead, whatever the network says.
const LONGEST_SILENCE = 40_000;
const LEAST_AHEAD = 5_000;
// A browser has six connections to one address. A window that nobody looks at gives its own back.
const LONGEST_UNSEEN = 30_000;

export class Server {
  #token;
  #ahead = 0;

  /** `signal` ends all that is under way; `refused` is told when the token is. */
  constructor({ token, connection, signal, refused }) {
    this.#token = token;
    this.connection = connection;
    this.signal = signal;
    this.refused = refused;
  }

  /** A name that only windows with the same token know. */
  named(what) {
    return `gqlstock ${what} ${this.#token}`;
  }

  /** The time by the server's clock, as well as it is known: this machine's may be wrong. */
  now() {
    return Date.now() + this.#ahead;
  }

  /** The data of an answer; asked again until there is one. */
  async ask(text, variables = {}, signal = this.signal) {
    const name = Symbol('ask');
    try {
      return await this.#persist(name, signal, () => this.#asked(text, variables, signal));
    } finally {
      this.connection.forget(name);
    }
  }

  /** As `ask`, but not a second time: for what changes something. */
  async change(text, variables) {
    try {
      return await this.#asked(text, variables, this.signal);
    } catch (error) {
      this.#notice(error);
      throw error;
    }
  }

  /**
   * Hand each push to `next` until `signal` is aborted; a new connection goes on from the last one's `cursor`. `open` is
   * told of every connection. One that `rests` is cut while nobody looks at the page.
   */
  async follow(text, variables, { next, open = () => {}, rests = false, signal }) {
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

  /** Attempt it until it is answered, with longer and longer pauses, until it says that it goes well. */
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

  /** The header has whole seconds; less than some of them is no difference. */
  #compare(theirs) {
    const ahead = theirs - Date.now();
    this.#ahead = Math.abs(ahead) > LEAST_AHEAD ? ahead : 0;
  }

  #notice(error) {
    if (error instanceof Refused) this.refused(error.message);
  }

  async #asked(text, variables, signal) {
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

/** Cuts a stream that is quiet for too long, or unseen. */
class Watch {
  #attempt;
  #silence;
  #unseen;
  #looking = new AbortController();

  constructor(attempt, rests) {
    this.#attempt = attempt;
    this.heard();
    if (!rests) return;
    const look = () => {
      clearTimeout(this.#unseen);
      if (document.hidden) this.#unseen = setTimeout(() => attempt.abort(), LONGEST_UNSEEN);
    };
    look();
    document.addEventListener('visibilitychange', look, { signal: this.#looking.signal });
  }

  heard() {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => this.#attempt.abort(), LONGEST_SILENCE);
  }

  end() {
    clearTimeout(this.#silence);
    clearTimeout(this.#unseen);
    this.#looking.abort();
  }
}

function complain(errors) {
  if (!errors?.length) return;
  const [{ message, extensions }] = errors;
  if (extensions?.code === 'UNAUTHENTICATED') throw new Refused(message);
  if (extensions?.code === 'INVALID_CURSOR') throw new Gap(message);
  if (PASSING.has(extensions?.code)) throw new Unanswered(message);
  throw new Told(message);
}

function unanswered() {
  throw new Unanswered('The server does not answer.');
}

/** The events of a stream, each when it is complete. */
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

/** A pause; over at once when the network is back. */
const waited = (milliseconds, signal) => first([window, 'online'], [signal, 'abort'], milliseconds);

async function seen(signal) {
  while (document.hidden && !signal.aborted) await first([document, 'visibilitychange'], [signal, 'abort']);
}

/** Until the first of two events, or so many milliseconds. */
async function first(one, other, milliseconds) {
  const { promise, resolve } = Promise.withResolvers();
  const listening = new AbortController();
  for (const [target, name] of [one, other]) target.addEventListener(name, resolve, { signal: listening.signal });
  const timer = milliseconds === undefined ? undefined : setTimeout(resolve, milliseconds);
  await promise;
  clearTimeout(timer);
  listening.abort();
}
