// The rows of the stock page, and the live list behind them.

import { mayHaveLevels } from '../../actions/levels.js';
import { endingWith } from '../../client/ending.js';
import { Refused, ServerError, waited } from '../../client/graphql.js';
import { readAndSubscribe, listen } from '../../client/news.js';
import { atMost, perFrame } from '../../client/pace.js';
import { ALERT_NEWS } from '../../documents/session.js';
import { ITEMS, ITEM_CHANGES } from '../../documents/stock.js';
import { lowOf, nextOf } from './details.js';

const PAUSE = 2_000;
const PERIOD = 5_000;
// Sums and counts over all items take the server long. Reading again may take a tenth of its time.
const SHARE = 0.1;
const LONGEST_PAUSE = 60_000;
const BETWEEN_COUNTS = 60_000;

// Whether a row is low is not known at first.
const NEW = { isLow: null, next: null };

/** A row from an item of the list. */
export function rowOf(node) {
  const { id, sku, name, images, tracking, inventoryTotals, inventoryLevels } = node;
  return {
    id,
    item: { id, sku, name, tracking },
    image: images[0]?.url ?? null,
    counted: tracking !== 'DO_NOT_TRACK',
    // The stock of others is that of their combinations.
    hasLevels: mayHaveLevels({ tracking }),
    status: node.inventoryStatus ?? node.product?.inventoryStatus,
    totals: inventoryTotals,
    levels: new Map(inventoryLevels.nodes.map(({ onHand, warehouse }) => [warehouse.code, onHand])),
  };
}

/**
 * Follows one page of a list until `signal` is aborted. `listed({ nodes, pageInfo, totalCount })` is called with the rows
 * when they come, go or move; `changed(rows, { quietly })` with the rows whose content changed.
 */
export class Rows {
  #rows = new Map();
  // The rows that changed since the list was last asked for: their figures are newer than its answer.
  #newer = new Set();
  #stream = new AbortController();
  #counted = -Infinity;
  #total = 0;

  constructor(session, { variables, listed, changed, signal }) {
    Object.assign(this, { session, server: session.server, variables, listed, changed, signal });
    this.received = perFrame((changes) => this.#receive(changes));
    this.details = atMost(PAUSE, () => this.#details());
    this.refresh = atMost(PAUSE, () => this.signal.aborted || this.#refresh());
  }

  /** Reads the list and follows it until the signal is aborted. Throws what the server says if it refuses. */
  async subscribe() {
    listen(this.server, 'alerts', ALERT_NEWS, () => this.details(), this.signal).catch(() => {});
    // The order, and what a filter selects, depend on items that are not on the page as well.
    const timer = setInterval(() => document.hidden || this.refresh(), PERIOD);
    this.signal.addEventListener('abort', () => clearInterval(timer));
    this.session.saved.addEventListener('saved', () => this.refresh(), { signal: this.signal });
    while (!this.signal.aborted) {
      this.#stream = endingWith(this.signal);
      await this.#subscribe(this.#stream.signal);
    }
  }

  /** Follows the items that are on the page, until others are. */
  async #subscribe(signal) {
    const read = async () => {
      this.#show(await this.#read());
      this.details();
      return { skus: this.#skus };
    };
    try {
      await readAndSubscribe(this.server, ITEM_CHANGES, { read, next: (change) => this.received(change), signal });
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  /** Whether a change of stock can move a row, or put it into the list or out of it. */
  get #dependsOnStock() {
    const { filter, sort } = this.variables;
    return Object.keys(filter).length > 0 || sort === 'AVAILABLE' || sort === 'UPDATED';
  }

  get #skus() {
    return [...this.#rows.values()].map(({ item }) => item.sku);
  }

  async #read() {
    this.#newer.clear();
    const counted = performance.now() - this.#counted > BETWEEN_COUNTS;
    const { inventoryItems } = await this.server.ask(ITEMS, { ...this.variables, counted }, this.signal);
    if (counted) this.#counted = performance.now();
    return inventoryItems;
  }

  #show({ nodes: items, pageInfo, totalCount }) {
    const rows = items.map((node) => {
      const row = this.#rows.get(node.id) ?? { ...NEW };
      const { totals, levels, ...rest } = rowOf(node);
      return Object.assign(row, rest, this.#newer.has(node.id) ? null : { totals, levels });
    });
    this.#rows = new Map(rows.map((row) => [row.id, row]));
    const isWhole = !pageInfo.hasPreviousPage && !pageInfo.hasNextPage;
    this.#total = isWhole ? rows.length : (totalCount ?? this.#total);
    this.listed({ nodes: rows, pageInfo, totalCount: this.#total });
  }

  /** Reads the list again. A new stream is needed only if it has other items. */
  async #refresh() {
    const began = performance.now();
    await this.#quietly(async () => {
      const list = await this.#read();
      // The stream knows items by their SKUs.
      if (list.nodes.some(({ id, sku }) => this.#rows.get(id)?.item.sku !== sku)) return this.#stream.abort();
      this.#show(list);
      // Dates pass or are changed, and the stream says nothing of it.
      this.details();
    });
    // What was spent waiting for a server that is away was none of its work.
    if (this.server.connection.lostAt >= began) return;
    await waited(Math.min((performance.now() - began) * (1 / SHARE - 1), LONGEST_PAUSE), this.signal);
  }

  /** Takes the changes of one frame. */
  #receive(changes) {
    const changed = new Set();
    for (const { level } of changes) {
      const { item, warehouse, onHand } = level;
      const row = this.#rows.get(item.id);
      row?.levels.set(warehouse.code, onHand);
      for (const { id, inventoryTotals } of [item, item.product].filter((one) => one && this.#rows.has(one.id))) {
        const { incoming } = this.#rows.get(id).totals;
        this.#rows.get(id).totals = inventoryTotals;
        this.#newer.add(id);
        changed.add(id);
        if (incoming !== inventoryTotals.incoming) this.details();
      }
    }
    this.changed([...changed].map((id) => this.#rows.get(id)));
    if (this.#dependsOnStock) this.refresh();
    for (const change of changes) this.session.changes.announce(change);
  }

  /** Reads what is low, and when the next units arrive. */
  async #details() {
    const rows = [...this.#rows.values()];
    const show = (found) => {
      for (const row of rows) Object.assign(row, found(row));
      // Quietly: it was so before it was read.
      this.changed(rows, { quietly: true });
    };
    await Promise.all([
      this.#quietly(async () => {
        const low = await lowOf(this.server, rows, this.signal);
        show(({ id }) => ({ isLow: low.has(id) }));
      }),
      this.#quietly(async () => {
        const next = await nextOf(this.server, rows, this.signal);
        show(({ id }) => ({ next: next.get(id) ?? null }));
      }),
    ]);
  }

  /** What is read in addition is read again soon: an error is not worth a word. */
  async #quietly(work) {
    try {
      await work();
    } catch (error) {
      if (!this.signal.aborted && !(error instanceof ServerError || error instanceof Refused)) throw error;
    }
  }
}
