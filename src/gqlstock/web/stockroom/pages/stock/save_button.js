// The button that saves the chosen items as a file.

import { endingWith } from '../../client/ending.js';
import { Refused } from '../../client/graphql.js';
import { element } from '../../elements/element.js';
import { number } from '../../elements/figures.js';
import { saveItems } from './file.js';

const SAVE = 'Save as CSV';

/** `view()` returns the current view. A second click, while the items are read, stops it. */
export function saveButton(session, view, signal) {
  let saving = null;
  const save = async () => {
    if (saving) return saving.abort();
    const current = endingWith(signal);
    saving = current;
    const read = (count) => (button.textContent = `${number(count)} items read. Stop`);
    read(0);
    try {
      await saveItems(session, view(), { read, signal: current.signal });
    } catch (error) {
      if (!current.signal.aborted && !(error instanceof Refused)) session.notices.show(error.message);
    }
    current.abort();
    saving = null;
    button.textContent = SAVE;
  };
  const button = element('button', { type: 'button', click: save }, SAVE);
  return button;
}
