// Changes an announcement: when it is expected, how much, and its document number.

import { UPDATE_ANNOUNCEMENT } from '../../documents/incoming.js';
import { ActionDialog } from '../../elements/dialog.js';
import { local } from '../../elements/field.js';
import { number } from '../../elements/figures.js';

/** Opens the dialog for an announcement. Only the date of a transfer's can change. */
export function change(session, announcement) {
  const { id, quantity, received, expectedAt, reference, transfer, level } = announcement;
  const before = {
    expectedAt: expectedAt ? local(expectedAt) : '',
    quantity: String(quantity),
    reference: reference ?? '',
  };
  const fields = [
    { name: 'expectedAt', label: 'Expected', type: 'date', hint: 'Empty: not known.', value: before.expectedAt },
    {
      name: 'quantity',
      label: 'Quantity',
      type: 'quantity',
      hint: received > 0 ? `Including ${number(received)} received.` : null,
      value: before.quantity,
      required: true,
    },
    { name: 'reference', label: 'Document number', value: before.reference },
  ];
  const dialog = new ActionDialog(session, {
    title: transfer ? 'Change the date' : 'Change the announcement',
    about: `${level.item.name} · ${level.item.sku}, to ${level.warehouse.name}`,
    send: 'Change',
    document: UPDATE_ANNOUNCEMENT,
    keyed: false,
    fields: transfer ? fields.slice(0, 1) : fields,
    // What stays is not sent: somebody may have changed it meanwhile.
    input: (values) => ({
      id,
      ...Object.fromEntries(
        dialog.fields.filter(({ name, value }) => value !== before[name]).map(({ name }) => [name, values[name]]),
      ),
    }),
    done: () => session.notices.show(`The announcement of ${level.item.name} for ${level.warehouse.name} is changed.`),
  });
}
