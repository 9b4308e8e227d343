// Stock by warehouse: one page of levels from the server, updated live as changes are committed.

import { WAREHOUSES } from '../documents/session.js';
import { LEVELS, LEVEL_CHANGES, LOW } from '../documents/wall.js';
import { arrange, element, light, mark } from '../elements/element.js';
import { endingWith } from '../client/ending.js';
import { number, plural } from '../elements/figures.js';
import { Refused } from '../client/graphql.js';
import { readAndSubscribe } from '../client/news.js';
import { atMost, perFrame } from '../client/pace.js';
import { nodes } from '../client/paging.js';

const SIZE = 25;
const PAUSE = 500;
const WHILE_TYPING = 250;
const FIGURES = ['onHand', 'reserved', 'planned', 'held', 'available'];
const HEADS = ['On hand', 'Reserved', 'Planned', 'Held', 'Available'];

export class Levels {
  #wanted;
  #starts = [null];
  #total = 0;
  #next = null;
  #rows = new Map();
  #page = new AbortController();
  #shown = Promise.withResolvers();

  constructor(server, { open }) {
    this.server = server;
    this.open = open;
    this.body = document.getElementById('levels-rows');
    this.region = document.getElementById('levels-region');
    this.count = document.getElementById('levels-count');
    this.said = document.getElementById('levels-said');
    this.pager = document.getElementById('levels-pager');
    this.search = document.getElementById('levels-search');
    this.warehouse = document.getElementById('levels-warehouse');
    this.sort = document.getElementById('levels-sort');
    this.changed = perFrame((levels) => levels.forEach((level) => this.#rows.get(level.id)?.show(level)));
    this.askLow = atMost(PAUSE, () => this.#askLow());
    this.#wanted = this.#chosen();
    this.#listen();
  }

  #listen() {
    const { signal } = this.server;
    let typing;
    const afresh = () => {
      clearTimeout(typing);
      this.#wanted = this.#chosen();
      this.#starts = [null];
      this.ask();
    };
    const typed = () => {
      clearTimeout(typing);
      typing = setTimeout(afresh, WHILE_TYPING);
    };
    this.search.addEventListener('input', typed, { signal });
    this.warehouse.addEventListener('change', afresh, { signal });
    this.sort.addEventListener('change', afresh, { signal });
    document.getElementById('levels-next').addEventListener('click', () => this.#turn(this.#next), { signal });
    document.getElementById('levels-previous').addEventListener('click', () => this.#turn(null), { signal });
  }

  /** Resolves when the first page is shown. */
  get shown() {
    return this.#shown.promise;
  }

  /** Loads the warehouses to choose from. */
  async askWarehouses() {
    const warehouses = await Array.fromAsync(nodes(this.server, WAREHOUSES));
    const chosen = this.warehouse.value;
    const options = warehouses.map(({ code, name }) => element('option', { value: code }, name));
    this.warehouse.replaceChildren(element('option', { value: '' }, 'All warehouses'), ...options);
    this.warehouse.value = warehouses.some(({ code }) => code === chosen) ? chosen : '';
  }

  /** Shows the page and follows it. Stops following the previous one. */
  async ask() {
    this.#page.abort();
    this.#page = endingWith(this.server.signal);
    const { signal } = this.#page;
    this.region.setAttribute('aria-busy', 'true');
    const read = async () => {
      const { inventoryLevels } = await this.server.ask(LEVELS, this.#variables(), signal);
      this.#show(inventoryLevels);
      this.askLow();
      return { skus: [...new Set(inventoryLevels.nodes.map(({ item }) => item.sku))] };
    };
    try {
      await readAndSubscribe(this.server, LEVEL_CHANGES, { read, next: ({ level }) => this.changed(level), signal });
    } catch (error) {
      if (signal.aborted || error instanceof Refused) return;
      this.#say(error.message);
    }
  }

  /** The current filter and sort. Read only when the user has finished input, so that all pages belong to one list. */
  #chosen() {
    const filter = {};
    if (this.search.value.trim()) filter.search = this.search.value.trim();
    if (this.warehouse.value) filter.warehouses = [this.warehouse.value];
    const [sort, reversed] = this.sort.value.split(' ');
    return { filter, sort, reverse: reversed === 'reversed' };
  }

  #variables() {
    const after = this.#starts.at(-1);
    return { ...this.#wanted, first: SIZE, after, counted: after === null };
  }

  #show({ nodes, pageInfo, totalCount }) {
    this.#total = totalCount ?? this.#total;
    this.#next = pageInfo.hasNextPage ? pageInfo.endCursor : null;
    const rows = nodes.map((level) => {
      const kept = this.#rows.get(level.id);
      const row = kept?.names(level) ? kept : new Row(level, this.open);
      row.show(level, { quietly: true });
      return [level.id, row];
    });
    this.#rows = new Map(rows);
    arrange(this.body, rows.map(([, row]) => row.node));
    this.region.removeAttribute('aria-busy');
    this.region.hidden = !nodes.length;
    this.count.textContent = plural(this.#total, 'level');
    this.#say(nodes.length ? '' : this.#nothing());
    this.#showPager();
    this.#shown.resolve();
  }

  #nothing() {
    const { search, warehouses } = this.#wanted.filter;
    if (search) return 'No item matches by name, SKU, code or barcode.';
    if (warehouses) return 'No stock has been counted in this warehouse yet.';
    return 'No stock has been counted yet.';
  }

  #showPager() {
    const page = this.#starts.length;
    const pages = Math.max(Math.ceil(this.#total / SIZE), page);
    this.pager.hidden = pages === 1;
    document.getElementById('levels-page').textContent = `Page ${number(page)} of ${number(pages)}`;
    document.getElementById('levels-next').disabled = this.#next === null;
    document.getElementById('levels-previous').disabled = page === 1;
  }

  /** Goes to the page after a cursor; without one, back to the previous page. */
  #turn(after) {
    if (after) this.#starts.push(after);
    else this.#starts.pop();
    // The button may become disabled, so it must not keep the focus.
    document.getElementById('levels-title').focus();
    this.ask();
  }

  /** Marks levels as low if an alert is open for the item in all warehouses or in this one. */
  async #askLow() {
    const shown = this.#rows;
    const skus = [...new Set([...shown.values()].map((row) => row.level.item.sku))];
    if (!skus.length) return;
    try {
      const { lowInventoryAlerts } = await this.server.ask(LOW, { skus });
      const low = new Set(lowInventoryAlerts.nodes.map((alert) => `${alert.item.id} ${alert.warehouse?.code ?? ''}`));
      for (const row of shown.values()) row.low(low);
    } catch (error) {
      if (!this.server.signal.aborted && !(error instanceof Refused)) this.#say(error.message);
    }
  }

  #say(text) {
    this.said.textContent = text;
    this.said.hidden = !text;
  }
}

/** One level on the screen. */
class Row {
  #cells;
  #state = element('div', { role: 'cell', class: 'level-state' });
  #isLow = false;

  constructor(level, open) {
    this.level = level;
    const { item, warehouse } = level;
    const name = element('button', { class: 'item', type: 'button', click: () => open(item) }, item.name);
    this.#cells = FIGURES.map((figure, index) =>
      element('div', { role: 'cell', class: `figure ${figure}`, 'data-head': HEADS[index] }),
    );
    this.node = element(
      'div',
      { role: 'row', class: 'level' },
      element('div', { role: 'rowheader', class: 'level-item' }, name, element('span', { class: 'quiet' }, item.sku)),
      element('div', { role: 'cell', class: 'level-warehouse' }, warehouse.name),
      ...this.#cells,
      this.#state,
    );
  }

  /** Shows the current level. Highlights changed figures unless `quietly`. */
  show(level, { quietly = false } = {}) {
    this.level = { ...this.level, ...level };
    this.#cells.forEach((cell, index) => {
      const text = number(this.level[FIGURES[index]]);
      if (cell.textContent === text) return;
      cell.textContent = text;
      cell.classList.toggle('nothing', text === '0');
      if (!quietly) light(cell);
    });
    this.#showState();
  }

  /** Whether the row still shows the level's current names. */
  names({ item, warehouse }) {
    const known = this.level;
    return known.item.name === item.name && known.item.sku === item.sku && known.warehouse.name === warehouse.name;
  }

  low(alerts) {
    const { item, warehouse } = this.level;
    this.#isLow = alerts.has(`${item.id} `) || alerts.has(`${item.id} ${warehouse.code}`);
    this.#showState();
  }

  #showState() {
    const out = this.level.available <= 0;
    const [state, word] = out ? ['out', 'Out'] : this.#isLow ? ['low', 'Low'] : ['enough', 'In stock'];
    if (this.#state.firstChild?.dataset.state !== state) this.#state.replaceChildren(mark(state, word));
  }
}
