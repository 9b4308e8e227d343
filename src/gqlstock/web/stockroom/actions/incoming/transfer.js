// Receives a transfer, also in parts, or cancels it.

import { ServerError } from '../../client/graphql.js';
import { RECEIVE_TRANSFER } from '../../documents/actions.js';
import { CANCEL_TRANSFER, TRANSFER_LINES } from '../../documents/incoming.js';
import { ActionDialog } from '../../elements/dialog.js';
import { minus, number } from '../../elements/figures.js';
import { labelOf, quantities } from '../quantities.js';

/** Opens the dialog for a transfer with `number`, `from` and `to`. */
export async function receiveTransfer(session, transfer, signal) {
  const { inventoryTransfer } = await session.server.ask(TRANSFER_LINES, { number: transfer.number }, signal);
  if (!inventoryTransfer) throw new ServerError(`There is no transfer ${transfer.number}.`);
  const open = inventoryTransfer.lines
    .map((line) => ({ ...line, missing: onTheWay(line) }))
    .filter(({ missing }) => missing > 0);
  const lines = quantities(
    open.map(({ sku, item, missing }) => ({
      label: labelOf({ name: item?.name ?? 'Deleted item', sku }),
      hint: `of ${number(missing)}`,
      value: missing,
      given: { sku },
    })),
  );
  new ActionDialog(session, {
    title: `Receive transfer ${transfer.number}`,
    about: `From ${transfer.from.name}, in ${transfer.to.name}. Enter what has arrived. What is missing stays on its way.`,
    send: 'Receive',
    document: RECEIVE_TRANSFER,
    fields: [
      ...lines.fields,
      { name: 'close', label: 'What is missing is lost', type: 'check', value: false, required: true },
      { name: 'reason', label: 'Reason' },
    ],
    check: (values) => (values.close ? '' : lines.check(values)),
    input: ({ close, reason, ...values }) => ({ number: transfer.number, lines: lines.input(values), close, reason }),
    done: (payload) => session.notices.show(done(payload.transfer)),
  });
}

const onTheWay = ({ quantity, received, returned, lost }) => minus(minus(minus(quantity, received), returned), lost);

const done = ({ number: name, state }) =>
  state === 'RECEIVED'
    ? `Transfer ${name} is complete.`
    : `Transfer ${name}: the units are received. More is on its way.`;

export function cancelTransfer(session, transfer) {
  new ActionDialog(session, {
    title: `Cancel transfer ${transfer.number}`,
    about: `What is still on its way to ${transfer.to.name} returns to ${transfer.from.name}.`,
    send: 'Cancel the transfer',
    dismiss: 'Keep it',
    document: CANCEL_TRANSFER,
    keyed: false,
    fields: [{ name: 'reason', label: 'Reason' }],
    input: ({ reason }) => ({ number: transfer.number, reason }),
    done: () =>
      session.notices.show(`Transfer ${transfer.number} is canceled. Its units are in ${transfer.from.name} again.`),
  });
}
