// Draws stock over time: a step line for each warehouse and their total, told apart by colours that also work for
// colour-blind people, by dashes, and by names in the legend; and the figure below which there is an alert.

import { drawing } from './element.js';
import { HOUR, MINUTE, clock, day, number } from './figures.js';

const HEIGHT = 280;
const MARGIN = { top: 12, bottom: 28, left: 44, right: 12 };
const LABEL = 14;
const TICKS = 5;
const SPANS = [1, 2, 5, 10, 15, 30]
  .map((n) => n * MINUTE)
  .concat([1, 2, 3, 6, 12, 24, 48, 168, 336, 720, 2160].map((n) => n * HOUR));

/** How many lines can be told apart. */
export const STYLES = 6;
export const TOTAL = 'line total';
export const ALERT = 'line alert-line';

/** The style of a warehouse's line, by index. */
export const style = (index) => `line line-${index % STYLES}`;

/** A line sample for the legend. */
export function sample(styled) {
  const line = drawing('line', { class: styled, x1: 0, y1: 6, x2: 32, y2: 6 });
  return drawing('svg', { class: 'sample', viewBox: '0 0 32 12', 'aria-hidden': 'true' }, line);
}

/**
 * The plot of `lines`, each `{ style, points: [{ at, value }] }` with its points ordered by time, from `since` until
 * `until`, in a given width. `alert`: a figure to mark, or null.
 */
export function plot(lines, { since, until, width, label, alert = null }) {
  const right = width - MARGIN.right;
  const bottom = HEIGHT - MARGIN.bottom;
  const steps = ticks([...lines.flatMap(({ points }) => points.map(({ value }) => value)), alert ?? 0]);
  const [least, most] = [steps[0], steps.at(-1)];
  const x = (at) => MARGIN.left + ((at - since) / Math.max(until - since, 1)) * (right - MARGIN.left);
  const y = (value) => bottom - ((value - least) / (most - least)) * (bottom - MARGIN.top);
  return drawing(
    'svg',
    { class: 'plot', viewBox: `0 0 ${width} ${HEIGHT}`, width, height: HEIGHT, role: 'img', 'aria-label': label },
    ...steps.map((value) => rung(value, MARGIN.left, right, y(value))),
    ...moments(since, until, width).map(([at, text]) => moment(text, x(at), bottom)),
    ...(alert === null ? [] : [drawing('path', { class: ALERT, d: `M${MARGIN.left} ${y(alert)}H${right}` })]),
    ...lines.map((line) => drawing('path', { class: line.style, d: stair(line.points, x, y, right) })),
  );
}

/** The time at a place in a plot of this width, and the place of a time. */
export function scale({ since, until, width }) {
  const span = Math.max(width - MARGIN.left - MARGIN.right, 1);
  return {
    at: (x) => since + Math.min(Math.max((x - MARGIN.left) / span, 0), 1) * (until - since),
    x: (at) => MARGIN.left + ((at - since) / Math.max(until - since, 1)) * span,
    top: MARGIN.top,
    bottom: HEIGHT - MARGIN.bottom,
  };
}

function stair(points, x, y, right) {
  const [first, ...others] = points;
  const steps = others.map(({ at, value }) => `H${x(at).toFixed(1)}V${y(value).toFixed(1)}`);
  return `M${x(first.at).toFixed(1)} ${y(first.value).toFixed(1)}${steps.join('')}H${right}`;
}

function rung(value, left, right, y) {
  return drawing(
    'g',
    {},
    drawing('line', { class: value === 0 ? 'ground' : 'rung', x1: left, x2: right, y1: y, y2: y }),
    drawing('text', { x: left - 8, y: y + 4, 'text-anchor': 'end' }, number(value)),
  );
}

function moment(text, x, bottom) {
  return drawing('text', { x, y: bottom + LABEL + 6, 'text-anchor': 'middle' }, text);
}

/** Round numbers that span all values and 0. */
function ticks(values) {
  const least = Math.min(0, ...values);
  const most = Math.max(1, ...values);
  const rough = (most - least) / TICKS;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((n) => n * power).find((n) => n >= rough);
  const from = Math.floor(least / step);
  const to = Math.ceil(most / step);
  return Array.from({ length: to - from + 1 }, (_, index) => Number(((from + index) * step).toFixed(6)));
}

/** Round times between `since` and `until`, as many as fit. */
function moments(since, until, width) {
  const room = Math.max(Math.floor((width - MARGIN.left) / 90), 1);
  const span = SPANS.find((one) => (until - since) / one <= room) ?? until - since;
  // In the viewer's time zone instead of UTC.
  const offset = new Date(until).getTimezoneOffset() * MINUTE;
  const found = [];
  for (let at = Math.ceil((since - offset) / span) * span + offset; at <= until; at += span) {
    const text = span >= 24 * HOUR ? day(at) : clock(at);
    if (at - since > (until - since) * 0.02 && until - at > (until - since) * 0.03) found.push([at, text]);
  }
  return found;
}
