// Orders per minute, counted by the server. Events only tell that a count is stale, not the new count.

import { ORDERS } from '../documents/wall.js';
import { drawing, element } from '../elements/element.js';
import { MINUTE, clock, number } from '../elements/figures.js';
import { Refused } from '../client/graphql.js';
import { atMost } from '../client/pace.js';

const MINUTES = 30;
const ASKED_AT_ONCE = 10;
const PAUSE = 1_000;
const WIDTH = 600;
const HEIGHT = 120;
const GAP = 4;

export class Orders {
  #counts = new Map();

  constructor(server) {
    this.server = server;
    this.sum = document.getElementById('orders-sum');
    this.words = document.getElementById('orders-words');
    this.running = document.getElementById('orders-running');
    this.chart = document.getElementById('orders-chart');
    this.most = document.getElementById('orders-most');
    this.first = document.getElementById('orders-first');
    this.rows = document.getElementById('orders-rows');
    this.trouble = document.getElementById('orders-trouble');
    this.ask = atMost(PAUSE, () => this.#ask());
    const timer = setInterval(() => this.#passed(), PAUSE);
    server.signal.addEventListener('abort', () => clearInterval(timer));
  }

  /** Counts the minutes without a count and the latest ten, which may have changed. */
  async #ask() {
    try {
      const now = this.#minute();
      const first = now - (MINUTES - 1) * MINUTE;
      let from = now - (ASKED_AT_ONCE - 1) * MINUTE;
      await this.#count(from);
      while (from > first && !this.#counts.has(from - MINUTE)) {
        from -= ASKED_AT_ONCE * MINUTE;
        await this.#count(from);
      }
      for (const minute of this.#counts.keys()) if (minute < first) this.#counts.delete(minute);
      this.#show();
      this.trouble.textContent = '';
    } catch (error) {
      if (!this.server.signal.aborted && !(error instanceof Refused)) this.trouble.textContent = error.message;
    }
  }

  async #count(from) {
    const moments = Array.from({ length: ASKED_AT_ONCE + 1 }, (_, index) => from + index * MINUTE);
    const variables = Object.fromEntries(moments.map((moment, i) => [`t${i}`, new Date(moment).toISOString()]));
    const counted = await this.server.ask(ORDERS, variables);
    moments.slice(0, -1).forEach((moment, index) => this.#counts.set(moment, counted[`m${index}`].totalCount));
  }

  #minute() {
    return Math.floor(this.server.now() / MINUTE) * MINUTE;
  }

  /** A new minute starts with a count of 0. */
  #passed() {
    const now = this.#minute();
    if (!this.#counts.size || this.#counts.has(now)) return;
    this.#counts.set(now, 0);
    this.ask();
  }

  #show() {
    const now = this.#minute();
    const minutes = Array.from({ length: MINUTES }, (_, index) => now - (MINUTES - 1 - index) * MINUTE);
    const counted = minutes.map((minute) => [minute, this.#counts.get(minute) ?? 0]);
    const counts = counted.map(([, count]) => count);
    const sum = counts.reduce((left, right) => left + right);
    const most = Math.max(...counts);
    this.sum.textContent = number(sum);
    this.words.textContent = `${sum === 1 ? 'order' : 'orders'} in the last ${MINUTES} minutes`;
    this.running.textContent = sum
      ? `${number(counts.at(-1))} in this minute so far`
      : 'New orders appear here as they are placed.';
    const label = `Orders per minute over the last ${MINUTES} minutes: ${number(sum)} in total, at most ${number(most)}.`;
    this.chart.setAttribute('aria-label', label);
    this.chart.replaceChildren(...bars(counts, most));
    this.most.textContent = most ? `up to ${number(most)} per minute` : '';
    this.first.textContent = clock(minutes[0]);
    this.rows.replaceChildren(...counted.toReversed().map(row));
  }
}

function row([minute, count]) {
  const head = element('th', { scope: 'row' }, clock(minute));
  return element('tr', {}, head, element('td', { class: 'figure' }, number(count)));
}

function bars(counts, most) {
  const step = WIDTH / counts.length;
  const drawn = counts.map((count, index) => {
    const height = count ? Math.max((count / most) * (HEIGHT - 4), 3) : 0;
    return drawing('rect', {
      class: index === counts.length - 1 ? 'bar running' : 'bar',
      x: index * step + GAP / 2,
      y: HEIGHT - height,
      width: step - GAP,
      height,
    });
  });
  const ground = drawing('line', { class: 'ground', x1: 0, y1: HEIGHT, x2: WIDTH, y2: HEIGHT });
  return [...drawn, ground];
}
