// A table whose rows change in place. On a narrow screen each row is a card, and a select sorts in place of the headers.

import { arrange, element, light } from './element.js';

/**
 * A column: `name` is the class of its cells, `head` its heading, which is for screen readers alone if `unseen`. `text(row)` is
 * what a cell says, or `node(row)` makes what it shows, anew when `key(row)` changes. `figure`: numbers, aligned right.
 * `heading`: the cells are headings of their rows. `unit`: what the figures count, below the heading.
 * `sorts`: `[{ by, label }]`, what a click on the heading sorts by.
 */
export class Table {
  #columns;
  #rows = new Map();
  #heads = new Map();
  #body = element('tbody', { role: 'rowgroup' });

  /** `label` names the table. `sorted({ by, reverse })` is called when another order is wanted. */
  constructor({ label, columns, sorted = null }) {
    this.#columns = columns;
    this.sorted = sorted;
    const heads = columns.map((column) => this.#head(column));
    // The roles stay when the style makes cards of the rows.
    this.node = element(
      'table',
      { class: 'list', role: 'table', 'aria-label': label },
      element('thead', { role: 'rowgroup' }, element('tr', { role: 'row' }, ...heads)),
      this.#body,
    );
    this.sorter = element(
      'select',
      { class: 'sorter', 'aria-label': 'Sort', change: () => this.#chosen() },
      ...this.#options(),
    );
  }

  /** Shows these rows, each with an `id`, in this order. */
  show(rows) {
    const shown = rows.map((row) => {
      const kept = this.#rows.get(row.id) ?? new Row(this.#columns);
      kept.show(row, { quietly: true });
      return [row.id, kept];
    });
    this.#rows = new Map(shown);
    this.#arrange();
  }

  /** Shows a changed row, and highlights what is new unless `quietly`. Ignores rows that are not in the table. */
  update(row, options) {
    this.#rows.get(row.id)?.show(row, options);
  }

  /** Puts something below a row; null removes it. */
  detail(id, content) {
    const row = this.#rows.get(id);
    if (!row) return;
    const cell = content && element('td', { role: 'cell', colspan: this.#columns.length }, content);
    row.detail = cell && element('tr', { role: 'row', class: 'detail' }, cell);
    this.#arrange();
  }

  /** Whether something is below a row. */
  isOpen(id) {
    return Boolean(this.#rows.get(id)?.detail);
  }

  /** Removes what is below the rows. */
  close() {
    for (const row of this.#rows.values()) row.detail = null;
    this.#arrange();
  }

  /** Marks the order in which the rows are. */
  order({ by, reverse }) {
    for (const [known, { head, arrow }] of this.#heads) {
      arrow.textContent = known === by ? (reverse ? '▾' : '▴') : '';
      if (known === by) head.setAttribute('aria-sort', reverse ? 'descending' : 'ascending');
      else if (!this.#sorts(head, by)) head.removeAttribute('aria-sort');
    }
    this.sorter.value = `${by}${reverse ? ' reverse' : ''}`;
  }

  #arrange() {
    arrange(
      this.#body,
      [...this.#rows.values()].flatMap(({ node, detail }) => (detail ? [node, detail] : [node])),
    );
  }

  #head({ name, head, unit, unseen, figure, sorts }) {
    const cell = element('th', { scope: 'col', role: 'columnheader', class: classes(name, figure) });
    if (!sorts) cell.append(unseen ? element('span', { class: 'unseen' }, head) : head);
    if (unit) cell.append(element('span', { class: 'unit' }, ` ${unit}`));
    for (const { by, label } of sorts ?? []) {
      const arrow = element('span', { 'aria-hidden': 'true', class: 'arrow' });
      cell.append(element('button', { type: 'button', class: 'sort', click: () => this.#clicked(by) }, label, arrow));
      this.#heads.set(by, { head: cell, arrow });
    }
    return cell;
  }

  /** Whether a heading is the one that sorts by this. */
  #sorts(head, by) {
    return this.#heads.get(by)?.head === head;
  }

  #clicked(by) {
    const isAscending = this.#heads.get(by).arrow.textContent === '▴';
    this.sorted({ by, reverse: isAscending });
  }

  #chosen() {
    const [by, reverse] = this.sorter.value.split(' ');
    this.sorted({ by, reverse: Boolean(reverse) });
  }

  #options() {
    const sorts = this.#columns.flatMap((column) => column.sorts ?? []);
    return sorts.flatMap(({ by, label }) => [
      element('option', { value: by }, `${label}, ascending`),
      element('option', { value: `${by} reverse` }, `${label}, descending`),
    ]);
  }
}

class Row {
  #cells;
  detail = null;

  constructor(columns) {
    this.#cells = columns.map((column) => new Cell(column));
    this.node = element('tr', { role: 'row' }, ...this.#cells.map(({ node }) => node));
  }

  show(row, options = {}) {
    for (const cell of this.#cells) cell.show(row, options);
  }
}

class Cell {
  #column;
  #shown = null;

  constructor(column) {
    this.#column = column;
    const { name, head, unit, figure, heading } = column;
    const attributes = { class: classes(name, figure), 'data-head': unit ? `${head} ${unit}` : (head ?? null) };
    this.node = heading
      ? element('th', { scope: 'row', role: 'rowheader', ...attributes })
      : element('td', { role: 'cell', ...attributes });
  }

  show(row, { quietly = false }) {
    const { text, key, node, figure } = this.#column;
    const shown = node ? key(row) : text(row);
    if (shown === this.#shown) return;
    const isNew = this.#shown === null;
    this.#shown = shown;
    if (node) this.#replace(node(row));
    else this.node.textContent = shown;
    if (figure) this.node.classList.toggle('nothing', shown === '0' || shown === '–');
    if (!quietly && !isNew) light(this.node);
  }

  /** A control keeps the focus when it is made anew. */
  #replace(content) {
    const hadFocus = this.node.contains(document.activeElement);
    this.node.replaceChildren(content);
    if (hadFocus) this.node.querySelector('a, button')?.focus();
  }
}

const classes = (name, figure) => (figure ? `${name} figure` : name);
