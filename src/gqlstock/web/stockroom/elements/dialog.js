// A dialog for one action: fields, the errors at them, and what became of it when the server did not answer.

import { Action } from '../client/action.js';
import { element } from './element.js';
import { endingWith } from '../client/ending.js';
import { Field } from './field.js';

const SLOW = 4_000;

export class ActionDialog {
  #action;
  #request;
  #closed;
  #slow;

  /**
   * Opens it. `title`; `about`: what it acts on; `fields`: as of `Field`; `send`: the label of the button; `document`: a
   * mutation with `$input`, whose payload has `userErrors { message path }`, or a function of the values that returns one;
   * `input(values)`: the input without its key, from the values by the fields' names; `done(payload)`: called when saved.
   * Optional: `preview(values)`, a sentence shown below the fields; `check(values)`, what is missing in them; `dismiss`: the
   * label of the other button; `lead`, nodes above them; `refused(errors)`, called with `userErrors`, returns what to show of
   * them; `keyed`, as of `Action`.
   */
  constructor(session, { title, about, fields, send, document, input, done, ...more }) {
    const {
      preview = null,
      check = null,
      refused = (errors) => errors,
      lead = [],
      keyed = true,
      dismiss = 'Cancel',
    } = more;
    Object.assign(this, { session, title, document, input, done, preview, check, refused, label: send, dismiss, keyed });
    this.#closed = endingWith(session.server.signal);
    this.#action = new Action(session.server, document, { keyed });
    this.fields = fields.map((field) => new Field(field));
    this.#build(about, lead);
    this.#open();
  }

  /** Aborted when the dialog is closed. */
  get signal() {
    return this.#closed.signal;
  }

  get values() {
    return Object.fromEntries(this.fields.map(({ name, input }) => [name, input]));
  }

  field(name) {
    return this.fields.find((field) => field.name === name);
  }

  /** Shows the preview and the fields that go with the values. Call it when what they depend on has changed. */
  refresh() {
    for (const { node, shown } of this.fields) node.hidden = Boolean(shown) && !shown(this.values);
    this.said.textContent = this.preview?.(this.values) ?? '';
  }

  #build(about, lead) {
    this.said = element('p', { class: 'preview', 'aria-live': 'polite' });
    this.trouble = element('p', { class: 'trouble', role: 'alert' });
    this.waiting = element('p', { class: 'quiet waiting', role: 'status' });
    this.button = element('button', { class: 'first', type: 'submit' }, this.label);
    this.set = element('fieldset', {}, ...this.fields.map(({ node }) => node));
    const close = () => this.node.close();
    const submit = (event) => {
      event.preventDefault();
      this.#send();
    };
    this.node = element(
      'dialog',
      { class: 'action', 'aria-labelledby': 'action-title', close: () => this.#close() },
      element(
        'form',
        { novalidate: true, submit, input: () => this.refresh() },
        element('div', {}, element('h2', { id: 'action-title' }, this.title), element('p', { class: 'quiet' }, about)),
        ...lead,
        this.set,
        this.said,
        this.trouble,
        this.waiting,
        element(
          'div',
          { class: 'buttons' },
          element('button', { type: 'button', click: close }, this.dismiss),
          this.button,
        ),
      ),
    );
  }

  #open() {
    document.body.append(this.node);
    this.node.showModal();
    this.signal.addEventListener('abort', () => this.node.remove());
    this.refresh();
    // A list of quantities starts at its first one.
    const [first] = this.fields;
    const empty = first?.type === 'units' ? first : this.fields.find(({ value, node }) => value === '' && !node.hidden);
    (empty ?? first)?.focus();
  }

  #close() {
    if (this.isUnknown) this.#notify(null);
    this.#closed.abort();
  }

  /** Says beside the closed dialog why it was not saved, or without errors that this is not known. */
  #notify(errors) {
    const outcome = errors
      ? `not saved. ${errors.map(({ message }) => message).join(' ')}`
      : 'the server did not answer, so it is not known whether this was saved. Check before you do it again.';
    this.session.notices.show(`${this.title}: ${outcome}`);
  }

  async #send() {
    if (this.isSending || (!this.isUnknown && !this.#check())) return;
    // What is sent again is the same, even if the stock that it was made from has changed.
    if (!this.isUnknown) this.#request = this.#requested();
    this.#sending(true);
    const outcome = await this.#action.send(...this.#request);
    this.#sending(false);
    if (!outcome) return;
    const { payload, errors, unknown } = outcome;
    const isAgain = this.isUnknown;
    this.isUnknown = Boolean(unknown);
    if (this.signal.aborted && !payload) {
      // Without a key, it may have been saved when it was first sent.
      const isKnown = errors && (this.keyed || !isAgain);
      return this.#notify(isKnown ? this.refused(errors) : null);
    }
    // The key belongs to this input until its outcome is known.
    this.set.disabled = this.isUnknown;
    this.button.textContent = unknown ? 'Send again' : this.label;
    if (payload) this.#saved(payload);
    else if (errors) this.#complain(this.refused(errors), { isAgain });
    else this.trouble.textContent = UNKNOWN;
  }

  #requested() {
    const { document, values } = this;
    return [this.input(values), typeof document === 'function' ? document(values) : document];
  }

  #saved(payload) {
    this.node.close();
    this.session.saved.dispatchEvent(new Event('saved'));
    this.done(payload);
  }

  #sending(isSending) {
    this.isSending = isSending;
    clearTimeout(this.#slow);
    this.waiting.textContent = '';
    if (isSending) {
      // A disabled control loses the focus, and with it the Enter key.
      if (this.set.contains(document.activeElement)) this.button.focus();
      this.trouble.textContent = '';
      this.button.textContent = 'Saving…';
      this.#slow = setTimeout(() => (this.waiting.textContent = 'Still saving…'), SLOW);
    }
    // Not disabled: it must keep the focus.
    this.button.setAttribute('aria-disabled', String(isSending));
    this.set.disabled = isSending;
  }

  /** Shows what is wrong before anything is sent. */
  #check() {
    for (const field of this.fields) field.error = field.problem;
    const wrong = this.fields.find(({ isWrong }) => isWrong);
    wrong?.focus();
    this.trouble.textContent = wrong ? '' : (this.check?.(this.values) ?? '');
    return !wrong && this.trouble.textContent === '';
  }

  /**
   * Shows the server's errors at the fields that they belong to, the others above the buttons. `isAgain`: it was sent
   * before, and may have been saved then. With a key, the server would have said so.
   */
  #complain(errors, { isAgain }) {
    const rest = [];
    for (const { message, path } of errors) {
      const field = this.fields.find(({ paths }) => paths.includes(path.join('.')));
      if (field) field.error = message;
      else rest.push(message);
    }
    if (isAgain && !this.keyed) {
      rest.push(SAVED_BEFORE);
      this.session.saved.dispatchEvent(new Event('saved'));
    }
    this.trouble.textContent = rest.join(' ');
    this.fields.find(({ isWrong }) => isWrong)?.focus();
  }
}

const SAVED_BEFORE = 'It may have been saved when you first sent it: close this, and see.';
const UNKNOWN =
  'The server did not answer, so it is not known whether this was saved. Send it again: it is saved once, not twice.';
