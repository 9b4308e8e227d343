// Whether what is on the page is live. Everything that asks the server says here what became of it; one line in the
// header tells it.

export class Connection extends EventTarget {
  #lost = new Set();
  #live = false;

  /** It is told in `line`, until `signal` is aborted. */
  constructor(line, signal) {
    super();
    this.line = line;
    this.signal = signal;
    this.#tell('Connecting…', 'connecting');
  }

  /** Something that was asked for under this name is answered. */
  found(name) {
    const back = this.#lost.delete(name) && this.#lost.size === 0;
    if (this.#lost.size === 0 && !this.#live) {
      this.#live = true;
      this.#tell('Live', 'live');
    }
    if (back) this.dispatchEvent(new Event('back'));
  }

  /** It is not, and is tried again. */
  lost(name) {
    this.#lost.add(name);
    if (this.#live) {
      this.#live = false;
      this.#tell('Reconnecting…', 'lost');
    }
  }

  /** It is not wanted any more. */
  forget(name) {
    if (this.#lost.has(name)) this.found(name);
  }

  #tell(text, state) {
    if (this.signal.aborted) return;
    this.line.textContent = text;
    this.line.dataset.state = state;
  }
}
