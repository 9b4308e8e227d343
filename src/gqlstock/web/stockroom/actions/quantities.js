// The fields for quantities of several rows, and the rows of an input made from them.

/**
 * `rows`: `[{ label, hint, value, given }]`, `given` being what a row of the input has besides its quantity. `fields`: one
 * for each row. `input(values)`: the rows with a quantity; from then on an error of such a row is shown at its field.
 * `check(values)`: what is missing if there are none.
 */
export function quantities(rows) {
  const fields = rows.map(({ label, hint, value = '' }, index) => {
    return { name: `row${index}`, type: 'units', label, hint, value: String(value), paths: [] };
  });
  const filled = (values) =>
    rows.map((row, index) => ({ ...row, field: fields[index], quantity: values[`row${index}`] })).filter(isFilled);
  const input = (values) =>
    filled(values).map(({ field, given, quantity }, index) => {
      // The field has the same array.
      field.paths.splice(
        0,
        Infinity,
        ...['', '.quantity', '.sku', '.line', '.from', '.announcement'].map((end) => `lines.${index}${end}`),
      );
      return { ...given, quantity };
    });
  const check = (values) => (filled(values).length ? '' : 'Enter a quantity for at least one item.');
  return { fields, input, check };
}

const isFilled = ({ quantity }) => quantity !== null && Number(quantity) !== 0;

/** How people find an item on the shelf. */
export const labelOf = ({ name, sku }) => `${name} · ${sku}`;
