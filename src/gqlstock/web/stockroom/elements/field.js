// A labelled control of a form, with a hint and a place for its error.

import { element } from './element.js';

const QUANTITY = /^[+-]?\d{1,8}(\.\d{1,4})?$/;
const LAST = '9999-12-31T23:59';
let count = 0;

/** A moment as the value of a date: in local time, to the minute. */
export function local(given) {
  const moment = new Date(given);
  return new Date(moment.getTime() - moment.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

/**
 * A field. `name`: its key in the values of the form. `type`: `text`, `quantity`, `signed`, `date`, `choice` with `options`
 * `[{ value, label }]`, `check`, or `units`: a quantity in a list of them. `paths`: the paths of the input, such as
 * `changes.0.delta`, whose errors are shown here. `shown(values)`: whether the form has the field, by the values of all fields.
 */
export class Field {
  #error;
  #control;

  constructor({
    name,
    label,
    type = 'text',
    value = '',
    hint = null,
    required = false,
    options = [],
    suggestions = [],
    paths = [name],
    shown = null,
  }) {
    Object.assign(this, { name, label, type, required, paths, shown });
    const id = `field-${(count += 1)}`;
    const hintId = hint ? `${id}-hint` : null;
    this.#error = element('p', { id: `${id}-error`, class: 'field-error' });
    this.#control = control(type, {
      id,
      options,
      required,
      'aria-describedby': [hintId, `${id}-error`].filter(Boolean).join(' '),
    });
    const list = suggestions.length
      ? element('datalist', { id: `${id}-list` }, ...suggestions.map((one) => element('option', { value: one })))
      : null;
    if (list) this.#control.setAttribute('list', list.id);
    const isOptional = !required && type !== 'units';
    this.node = element(
      'div',
      { class: `field ${type}` },
      element(
        'label',
        { for: id },
        label,
        isOptional ? element('span', { class: 'quiet optional' }, ' optional') : null,
      ),
      hint ? element('p', { id: hintId, class: 'quiet' }, hint) : null,
      this.#control,
      list,
      this.#error,
    );
    this.value = value;
  }

  /** What was entered: a string without surrounding space, or a boolean. */
  get value() {
    return this.type === 'check' ? this.#control.checked : this.#control.value.trim().replace('−', '-');
  }

  set value(value) {
    if (this.type === 'check') this.#control.checked = value;
    else this.#control.value = value;
  }

  /** The options of a choice. What was chosen stays chosen if it is among them. */
  set options(options) {
    const { value } = this.#control;
    this.#control.replaceChildren(...options.map(option));
    if (options.some((one) => one.value === value)) this.#control.value = value;
  }

  /** The value as the API takes it, or null if there is none. */
  get input() {
    if (this.type === 'check') return this.value;
    if (this.value === '') return null;
    if (this.type === 'date') return this.#isDate ? new Date(this.value).toISOString() : null;
    return this.type === 'signed' ? this.value.replace('+', '') : this.value;
  }

  /** What is wrong with the value, before it is sent. */
  get problem() {
    if (this.node.hidden) return null;
    if (!this.#isDate) return 'Enter the day and the time.';
    if (this.value === '') return this.required ? `${this.label} is missing.` : null;
    if (['quantity', 'units', 'signed'].includes(this.type)) {
      if (!QUANTITY.test(this.value)) return 'Enter a number such as 12 or 2.5.';
      if (this.type !== 'signed' && Number(this.value) < 0) return 'Enter a number that is not below 0.';
    }
    return null;
  }

  /** Whether a date is whole, or empty. The value of one that is entered in part is empty as well. */
  get #isDate() {
    const { badInput, rangeOverflow } = this.#control.validity;
    return this.type !== 'date' || !(badInput || rangeOverflow);
  }

  set error(text) {
    this.#error.textContent = text ?? '';
    if (text) this.#control.setAttribute('aria-invalid', 'true');
    else this.#control.removeAttribute('aria-invalid');
  }

  get isWrong() {
    return this.#error.textContent !== '';
  }

  focus() {
    this.#control.focus();
    this.#control.select?.();
  }
}

const option = ({ value, label }) => element('option', { value }, label);

function control(type, { options, ...attributes }) {
  const shared = { autocomplete: 'off', ...attributes };
  switch (type) {
    case 'choice':
      return element('select', shared, ...options.map(option));
    case 'check':
      return element('input', { ...shared, type: 'checkbox' });
    case 'date':
      return element('input', { ...shared, type: 'datetime-local', max: LAST });
    case 'quantity':
    case 'units':
    case 'signed':
      // The decimal keyboards of phones have no sign.
      return element('input', {
        ...shared,
        type: 'text',
        inputmode: type === 'signed' ? 'text' : 'decimal',
        spellcheck: 'false',
      });
    default:
      return element('input', { ...shared, type: 'text', maxlength: 200 });
  }
}
