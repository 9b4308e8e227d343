// Draws one item's stock over time: a step line for each warehouse, distinguished by dashes and names instead of color.

import { drawing } from '../elements/element.js';
import { HOUR, MINUTE, clock, day, number } from '../elements/figures.js';

const HEIGHT = 280;
const MARGIN = { top: 12, bottom: 28, left: 44, right: 12 };
const LABEL = 14;
const STYLES = 6;
const TICKS = 5;
const SPANS = [1, 2, 5, 10, 15, 30].map((n) => n * MINUTE).concat([1, 2, 3, 6, 12, 24, 48, 168, 336, 720, 2160].map((n) => n * HOUR));

/** The style of a warehouse's line, by index. */
const style = (index) => `line line-${index % STYLES}`;

/** A line sample for the legend. */
export function sample(index) {
  const line = drawing('line', { class: style(index), x1: 0, y1: 6, x2: 32, y2: 6 });
  return drawing('svg', { class: 'sample', viewBox: '0 0 32 12', 'aria-hidden': 'true' }, line);
}

/**
 * The plot of `lines`, each `{ name, points: [{ at, value }] }` with its points ordered by time, from `since` until
 * `until`, in a given width.
 */
export function plot(lines, { since, until, width, label }) {
  const right = width - MARGIN.right;
  const bottom = HEIGHT - MARGIN.bottom;
  const steps = ticks(lines.flatMap(({ points }) => points.map(({ value }) => value)));
  const [least, most] = [steps[0], steps.at(-1)];
  const x = (at) => MARGIN.left + ((at - since) / Math.max(until - since, 1)) * (right - MARGIN.left);
  const y = (value) => bottom - ((value - least) / (most - least)) * (bottom - MARGIN.top);
  return drawing(
    'svg',
    { class: 'plot', viewBox: `0 0 ${width} ${HEIGHT}`, width, height: HEIGHT, role: 'img', 'aria-label': label },
    ...steps.map((value) => rung(value, MARGIN.left, right, y(value))),
    ...moments(since, until, width).map(([at, text]) => moment(text, x(at), bottom)),
    ...lines.map(({ points }, index) => drawing('path', { class: style(index), d: stair(points, x, y, right) })),
  );
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
