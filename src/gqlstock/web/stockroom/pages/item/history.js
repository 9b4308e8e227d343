// Stock over time: the plot of an item, for a range that is in the URL. Drawn from the ledger.

import { perFrame } from '../../client/pace.js';
import { address } from '../../client/router.js';
import { STEPS } from '../../documents/item.js';
import { drawing, element } from '../../elements/element.js';
import { HOUR, number, plural, plus, when } from '../../elements/figures.js';
import { ALERT, STYLES, TOTAL, plot, sample, scale, style } from '../../elements/stock_plot.js';

const DAY = 24 * HOUR;
const RANGES = {
  day: ['24 hours', DAY],
  '': ['7 days', 7 * DAY],
  month: ['30 days', 30 * DAY],
  quarter: ['90 days', 90 * DAY],
};
const AT_ONCE = 250;
// More steps than a plot has pixels.
const MOST = 2_000;
const NARROWEST = 240;

export class History {
  #levels = new Map();
  #steps = [];
  #alert = null;
  #requests = 0;
  #drawn = null;
  #chips = new Map();

  constructor(session, { sku, signal }) {
    Object.assign(this, { session, server: session.server, sku, signal });
    for (const [range, [label]] of Object.entries(RANGES))
      this.#chips.set(range, element('a', { class: 'chip' }, label));
    const chips = element('nav', { class: 'chips', 'aria-label': 'Range of the plot' }, ...this.#chips.values());
    this.picture = element('div', {
      class: 'plot-place',
      pointermove: (event) => this.#point(event),
      pointerleave: () => this.#unpoint(),
    });
    this.legend = element('ul', { class: 'legend' });
    this.said = element('p', { class: 'quiet' }, 'Loading…');
    this.node = element(
      'section',
      { class: 'card history-card', 'aria-labelledby': 'history-title' },
      element('div', { class: 'card-head' }, element('h2', { id: 'history-title' }, 'Stock over time'), chips),
      this.picture,
      this.legend,
      this.said,
    );
    this.draw = perFrame(() => this.#draw());
    const sized = new ResizeObserver(() => this.draw());
    sized.observe(this.picture);
    // Time passes without movements as well.
    const timer = setInterval(() => document.hidden || this.draw(), 30_000);
    signal.addEventListener('abort', () => {
      sized.disconnect();
      clearInterval(timer);
    });
  }

  /** Reads the movements of the range in the URL. `levels`: all of the item; `alert`: the figure of its alert, or null. */
  async read({ params = this.params, levels, alert }) {
    this.params = params;
    if (levels) this.#levels = new Map(levels.map((level) => [level.warehouse.code, level]));
    if (alert !== undefined) this.#alert = alert;
    const range = RANGES[params.get('range')] ? params.get('range') : '';
    this.#choose(range);
    const request = (this.#requests += 1);
    const since = this.server.now() - RANGES[range][1];
    const known = new Set(this.#steps);
    const steps = [];
    let after = null;
    do {
      const variables = { sku: this.sku, since: new Date(since).toISOString(), first: AT_ONCE, after };
      const { stockMovements } = await this.server.ask(STEPS, variables, this.signal);
      if (request !== this.#requests) return;
      steps.push(...stockMovements.nodes);
      after = stockMovements.pageInfo.hasNextPage ? stockMovements.pageInfo.endCursor : null;
    } while (after && steps.length < MOST);
    // What came meanwhile may be newer than the answers.
    const newer = this.#steps.filter((step) => !known.has(step) && !steps.some(({ id }) => id === step.id));
    this.#steps = [...newer, ...steps];
    this.range = range;
    this.isCut = after !== null;
    this.draw();
  }

  /** Takes a change: a level, and its movement if it has one. */
  add({ level, movement }) {
    this.#levels.set(level.warehouse.code, level);
    if (movement && !this.#steps.some(({ id }) => id === movement.id)) this.#steps.unshift(movement);
    this.draw();
  }

  set alert(figure) {
    this.#alert = figure;
    this.draw();
  }

  #choose(range) {
    const kept = { sku: this.sku, website: this.params.get('website') };
    for (const [known, chip] of this.#chips) {
      chip.href = address('item', { ...kept, range: known });
      if (known === range) chip.setAttribute('aria-current', 'true');
      else chip.removeAttribute('aria-current');
    }
  }

  #draw() {
    if (this.range === undefined) return;
    const until = this.server.now();
    this.#drop(until - RANGES[this.range][1]);
    const since = this.#start(until);
    const lines = this.#lines(since);
    this.picture.hidden = this.legend.hidden = !lines.length;
    if (!lines.length) return void (this.said.textContent = 'This item is in no warehouse yet.');
    const width = Math.max(this.picture.clientWidth, NARROWEST);
    const range = `On hand, last ${RANGES[this.range][0]}.`;
    const now = lines.map((line) => `${line.name} ${number(line.now)}`).join(', ');
    const label = `${range} Now: ${now}. The ledger has every movement.`;
    const shape = { since, until, width };
    this.#drawn = { lines, shape };
    this.picture.replaceChildren(plot(lines, { ...shape, label, alert: this.#alert }));
    this.legend.replaceChildren(
      ...lines.map((line) => entry(line.style, `${line.name}: ${number(line.now)} on hand`)),
      ...this.#alertEntry(),
    );
    this.#say();
  }

  /** Drops the movements that are older than the range by now. */
  #drop(start) {
    const steps = this.#steps.filter(({ createdAt }) => Date.parse(createdAt) >= start);
    if (steps.length < this.#steps.length) this.isCut = false;
    this.#steps = steps;
  }

  /** Where the plot starts: with the range, or later where nothing is known or there was nothing. */
  #start(until) {
    const start = until - RANGES[this.range][1];
    const oldest = this.#oldest;
    if (oldest === null) return start;
    if (this.isCut) return oldest;
    const before = this.#lines(start).every(({ points }) => points[0].value === 0);
    return before ? Math.max(start, oldest - (until - oldest) / 25) : start;
  }

  /** The time of the oldest movement that is known, or null. */
  get #oldest() {
    return this.#steps.length ? Date.parse(this.#steps.at(-1).createdAt) : null;
  }

  #say() {
    const moved = this.#steps.length;
    if (this.isCut) {
      const since = when(this.#oldest);
      this.said.textContent = `The latest ${plural(moved, 'movement')}, since ${since}. The ledger has the earlier ones.`;
    } else this.said.textContent = moved ? plural(moved, 'movement') : `No movement in these ${RANGES[this.range][0]}.`;
  }

  #alertEntry() {
    return this.#alert === null ? [] : [entry(ALERT, `Alert below ${number(this.#alert)} available`)];
  }

  /** A line for each warehouse and one of their total. Of more than can be told apart, the smallest are one line. */
  #lines(since) {
    const levels = [...this.#levels.values()].toSorted((one, other) => other.onHand - one.onHand);
    const each = levels.length > STYLES ? levels.slice(0, STYLES - 1) : levels;
    const rest = levels.slice(each.length);
    const lines = each
      .toSorted((one, other) => one.warehouse.name.localeCompare(other.warehouse.name))
      .map((level) => this.#line(level.warehouse.name, [level], since));
    if (rest.length) lines.push(this.#line(plural(rest.length, 'other warehouse'), rest, since));
    lines.forEach((line, index) => (line.style = style(index)));
    return levels.length > 1 ? [{ ...this.#line('All warehouses', levels, since), style: TOTAL }, ...lines] : lines;
  }

  /** The sum of some levels over time, from the quantities after each movement and before the first one. */
  #line(name, levels, since) {
    const onHand = new Map(levels.map((level) => [level.warehouse.code, level.onHand]));
    const mine = this.#steps.filter((one) => onHand.has(one.level.warehouse.code));
    // Backwards: each movement tells what was there before it.
    const values = new Map(onHand);
    let sum = [...values.values()].reduce(plus, 0);
    const points = [];
    for (const { createdAt, quantity, onHandAfter, level } of mine) {
      const { code } = level.warehouse;
      // A level's own figure is newer than the movements that were read.
      sum = plus(sum, onHandAfter - values.get(code));
      points.unshift({ at: Date.parse(createdAt), value: sum });
      values.set(code, plus(onHandAfter, -quantity));
      sum = plus(sum, -quantity);
    }
    const now = [...onHand.values()].reduce(plus, 0);
    return { name, now, points: [{ at: since, value: sum }, ...points] };
  }

  /** Says what was there at the time below the pointer. */
  #point({ clientX }) {
    if (!this.#drawn) return;
    const { lines, shape } = this.#drawn;
    const { at, x, top, bottom } = scale(shape);
    const moment = at(clientX - this.picture.getBoundingClientRect().left);
    const svg = this.picture.firstElementChild;
    svg.querySelector('.cross')?.remove();
    svg.append(drawing('line', { class: 'cross', x1: x(moment), x2: x(moment), y1: top, y2: bottom }));
    const values = lines.map(
      ({ name, points }) => `${name} ${number((points.findLast((one) => one.at <= moment) ?? points[0]).value)}`,
    );
    this.said.textContent = `${when(moment)}: ${values.join(', ')}`;
  }

  #unpoint() {
    this.picture.querySelector('.cross')?.remove();
    if (this.#drawn) this.#say();
  }
}

const entry = (styled, words) => element('li', {}, sample(styled), words);
