// The changes of levels that the open page follows, for the parts that do not read lists themselves: an open dialog, an offer
// to undo.

export class LevelChanges {
  #listeners = new Set();

  /** Passes on a change: `{ level, movement }`. Each page calls this for the changes that it receives. */
  announce(change) {
    for (const listener of this.#listeners) listener(change);
  }

  /** Calls `listener` with each change until `signal` is aborted. */
  listen(listener, signal) {
    this.#listeners.add(listener);
    signal.addEventListener('abort', () => this.#listeners.delete(listener));
  }
}
