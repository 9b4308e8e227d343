// Writes CSV files that are safe to open in a spreadsheet: it shows formulas as text instead of running them.

import { element } from './element.js';

// Texts that look guarded are guarded again, so that an import restores them.
const FORMULA = /^'*[=+\-@\t\r\n]/;

/** Saves lines of cells as NAME-DATE.csv. Cells are texts, numbers, or null. */
export function save(name, lines) {
  // Spreadsheets take a file for UTF-8 by its mark.
  const text = `\uFEFF${lines.map((cells) => cells.map(cell).join(',')).join('\r\n')}\r\n`;
  const url = URL.createObjectURL(new Blob([text], { type: 'text/csv' }));
  element('a', { href: url, download: `${name}-${today()}.csv` }).click();
  URL.revokeObjectURL(url);
}

/** The local date, such as 2027-01-31, which is how Swedish writes it. */
const today = () => new Date().toLocaleDateString('sv-SE');

function cell(value) {
  if (value === null) return '';
  if (typeof value === 'number') return String(value);
  const safe = FORMULA.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
