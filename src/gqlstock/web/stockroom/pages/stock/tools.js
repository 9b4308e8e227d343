// What chooses the items of the stock page, and the file of what is chosen.

import { endingWith } from '../../client/ending.js';
import { element } from '../../elements/element.js';
import { Refused } from '../../client/graphql.js';
import { number } from '../../elements/figures.js';
import { ListTools } from '../../elements/list_tools.js';
import { saveItems } from './file.js';
import { SHOWN } from './view.js';

const SAVE = 'Save as CSV';
const SEARCH = { label: 'Search by name, SKU, code or barcode', placeholder: 'Name, SKU or barcode' };

export class Tools extends ListTools {
  #saving = null;

  /** `view()` returns the current view; `go` leads to another one. */
  constructor(session, { view, go, signal }) {
    super(session, { search: SEARCH, shown: SHOWN, view, go });
    Object.assign(this, { session, signal });
    this.sorter = element('span', { class: 'sorter-place' });
    this.file = element('button', { type: 'button', click: () => this.#save() }, SAVE);
    this.node.append(this.sorter);
  }

  /** Saves the file. A second click, while it is read, stops it. */
  async #save() {
    if (this.#saving) return this.#saving.abort();
    this.#saving = endingWith(this.signal);
    const { signal } = this.#saving;
    const read = (count) => (this.file.textContent = `${number(count)} items read. Stop`);
    read(0);
    try {
      await saveItems(this.session, this.view(), { read, signal });
    } catch (error) {
      if (!signal.aborted && !(error instanceof Refused)) this.session.notices.show(error.message);
    }
    this.#saving.abort();
    this.#saving = null;
    this.file.textContent = SAVE;
  }
}
