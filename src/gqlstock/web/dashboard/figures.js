// How figures, moments and spans of time are written.

const NUMBER = new Intl.NumberFormat('en', { maximumFractionDigits: 4 });
const ROUND = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });
const CLOCK = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' });
const DAY = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' });
const DATE = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric' });
const SECOND = new Intl.DateTimeFormat('en-GB', {
  day: 'numeric',
  month: 'short',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
});

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** With a minus sign, which is as wide as a plus sign. */
export const number = (value) => NUMBER.format(value).replace('-', '−');
export const rounded = (value) => ROUND.format(value).replace('-', '−');
export const signed = (value) => (value > 0 ? `+${number(value)}` : number(value));
export const plural = (count, one, many = `${one}s`) => `${number(count)} ${count === 1 ? one : many}`;

export const clock = (moment) => CLOCK.format(moment);
export const day = (moment) => DAY.format(moment);
export const second = (moment) => SECOND.format(moment);

/** A moment of today by the clock, any other with its day, one of another year with that. */
export function when(told, now = new Date()) {
  const moment = new Date(told);
  if (moment.toDateString() === now.toDateString()) return clock(moment);
  const date = moment.getFullYear() === now.getFullYear() ? day(moment) : DATE.format(moment);
  return `${date}, ${clock(moment)}`;
}

/** How long something lasts, by the day, in the words that one would plan by. */
export function lasting(days) {
  const hours = Math.floor(days * 24);
  if (hours < 1) return 'less than an hour';
  if (hours < 48) return plural(hours, 'hour');
  return plural(Math.floor(days), 'day');
}

/** SKUs and kinds come in capitals. */
export const spoken = (constant) => {
  const words = constant.toLowerCase().replaceAll('_', ' ');
  return words[0].toUpperCase() + words.slice(1);
};

export { HOUR, MINUTE };
