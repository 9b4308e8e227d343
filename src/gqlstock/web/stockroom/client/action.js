// One action of a person: a mutation that is sent until its outcome is known, and applied once.

import { Refused, Unanswered } from './graphql.js';

export class Action {
  // The server applies a key once, so that the same input may be sent again when its outcome is not known.
  #key;

  /**
   * `keyed`: whether inputs have an `idempotencyKey`. Those without one set a value, so that twice is the same as once, or are
   * refused the second time.
   */
  constructor(server, document, { keyed = true } = {}) {
    this.server = server;
    this.document = document;
    this.#key = keyed ? { idempotencyKey: newKey() } : {};
  }

  /**
   * Sends the input. Returns `{ payload }`; `{ errors }` as of `userErrors`, nothing was changed; `{ unknown }`, a sentence:
   * send the same input again; or null if the token was refused. Another input after an unknown outcome needs a new action.
   */
  async send(input, document = this.document) {
    try {
      const data = await this.server.change(document, { input: { ...input, ...this.#key } });
      const [payload] = Object.values(data);
      return payload.userErrors.length ? { errors: payload.userErrors } : { payload };
    } catch (error) {
      if (error instanceof Refused || this.server.signal.aborted) return null;
      if (error instanceof Unanswered) return { unknown: error.message };
      return { errors: [{ message: error.message, path: [] }] };
    }
  }
}

/** Not crypto.randomUUID, which pages served over plain HTTP by another machine do not have. */
function newKey() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
