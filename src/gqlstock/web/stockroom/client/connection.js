// Whether the page is live. Every request reports its result here, and a line in the header shows the state.

export class Connection extends EventTarget {
  #lost = new Set();
  #live = false;
  /** When a request failed last, as of `performance.now()`. */
  lostAt = -Infinity;

  /** Shows the state in `line` until `signal` is aborted. */
  constructor(line, signal) {
    super();
    this.line = line;
    this.signal = signal;
    this.#tell('Connecting…', 'connecting');
  }

  /** The request with this name was answered. */
  found(name) {
    const back = this.#lost.delete(name) && this.#lost.size === 0;
    if (this.#lost.size === 0 && !this.#live) {
      this.#live = true;
      this.#tell('Live', 'live');
    }
    if (back) this.dispatchEvent(new Event('back'));
  }

  /** The request with this name failed and will be retried. */
  lost(name) {
    this.lostAt = performance.now();
    this.#lost.add(name);
    if (this.#live) {
      this.#live = false;
      this.#tell('Reconnecting…', 'lost');
    }
  }

  /** The request with this name is no longer needed. */
  forget(name) {
    if (this.#lost.has(name)) this.found(name);
  }

  #tell(text, state) {
    if (this.signal.aborted) return;
    this.line.textContent = text;
    this.line.dataset.state = state;
  }
}
