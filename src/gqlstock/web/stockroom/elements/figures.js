// Formats numbers, times and durations.

const NUMBER = new Intl.NumberFormat('en', { maximumFractionDigits: 4 });
const ROUND = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });
const CLOCK = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' });
const DAY = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' });
const DATE = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric' });
const SECOND = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** Uses the minus sign, which is as wide as the plus sign, instead of a hyphen. */
export const number = (value) => NUMBER.format(value).replace('-', '−');
export const rounded = (value) => ROUND.format(value).replace('-', '−');
export const signed = (value) => (value > 0 ? `+${number(value)}` : number(value));
export const plural = (count, one, many = `${one}s`) => `${number(count)} ${count === 1 ? one : many}`;

/** Exact sums of quantities, which have at most four decimal places. */
export const plus = (left, right) => Math.round((left + right) * 10_000) / 10_000;
export const minus = (left, right) => plus(left, -right);

export const clock = (moment) => CLOCK.format(moment);
export const day = (moment) => DAY.format(moment);

/** The time of day for today, else with the date, and with the year if it is another one. */
export function when(timestamp, now = new Date()) {
  const moment = new Date(timestamp);
  if (isSameDay(moment, now)) return clock(moment);
  return `${date(moment, now)}, ${clock(moment)}`;
}

/** The exact time with its date, and with the year if it is another one. */
export function second(timestamp, now = new Date()) {
  const moment = new Date(timestamp);
  return `${dayOf(moment, now)}, ${SECOND.format(moment)}`;
}

/** The day in words: today, tomorrow, else the date, with the year if it is another one. */
export function date(timestamp, now = new Date()) {
  const moment = new Date(timestamp);
  if (isSameDay(moment, now)) return 'today';
  if (isSameDay(moment, new Date(now.getTime() + 24 * HOUR))) return 'tomorrow';
  return dayOf(moment, now);
}

const dayOf = (moment, now) => (moment.getFullYear() === now.getFullYear() ? day(moment) : DATE.format(moment));

const isSameDay = (one, other) => one.toDateString() === other.toDateString();

/** A duration in days, as words: hours up to two days, then whole days. */
export function lasting(days) {
  const hours = Math.floor(days * 24);
  if (hours < 1) return 'less than an hour';
  if (hours < 48) return plural(hours, 'hour');
  return plural(Math.floor(days), 'day');
}

/** An enum value as words, such as "Partially shipped" for PARTIALLY_SHIPPED. */
export const spoken = (constant) => {
  const words = constant.toLowerCase().replaceAll('_', ' ');
  return words[0].toUpperCase() + words.slice(1);
};

export { HOUR, MINUTE };
