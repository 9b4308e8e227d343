// Receives stock: what an announcement or a transfer brings, or what nobody announced.

import { nodes } from '../client/paging.js';
import { ADJUST, ITEM_ANNOUNCEMENTS, RECEIVE, RECEIVE_TRANSFER } from '../documents/actions.js';
import { ActionDialog } from '../elements/dialog.js';
import { date, minus, number, plus } from '../elements/figures.js';
import { hasLevels, levelsOf } from './levels.js';
import { offerUndo } from './undo.js';

export const receive = { label: 'Receive…', scope: 'inventory:write', fits: hasLevels, open };

/** Opens the dialog for an item with `sku` and `name`. */
async function open(session, item, signal) {
  const { sku, name } = item;
  const [levels, announced] = await Promise.all([
    levelsOf(session, item, { signal }),
    Array.fromAsync(nodes(session.server, ITEM_ANNOUNCEMENTS, { sku }, signal)),
  ]);
  const deliveries = deliveriesOf(session, levels, announced);
  const chosen = ({ delivery }) => deliveries[Number(delivery)];
  const dialog = new ActionDialog(session, {
    title: 'Receive stock',
    about: `${name} · ${sku}`,
    send: 'Receive',
    fields: [
      {
        name: 'delivery',
        label: 'Delivery',
        type: 'choice',
        options: deliveries.map(({ label }, place) => ({ value: String(place), label })),
        value: '0',
        required: true,
        paths: ['warehouse', 'lines.0.announcement', 'changes.0.warehouse', 'number'],
      },
      {
        name: 'quantity',
        label: 'Quantity',
        type: 'quantity',
        required: true,
        paths: ['lines.0.quantity', 'lines.0.sku', 'changes.0.delta', 'changes.0.sku'],
      },
      { name: 'reference', label: 'Delivery note', shown: (values) => !chosen(values).transfer },
      { name: 'reason', label: 'Reason' },
    ],
    document: (values) => chosen(values).document,
    input: (values) => inputOf(sku, chosen(values), values),
    preview: (values) => preview(levels, chosen(values), Number(values.quantity)),
    done({ movements, transfer }) {
      const { quantity } = dialog.values;
      if (transfer)
        return session.notices.show(
          `${name} in ${transfer.to.name}: ${number(quantity)} received of transfer ${transfer.number}.`,
        );
      const [movement] = movements;
      // A count would take the units back, but not announce them again.
      if (chosen(dialog.values).announcement) session.notices.show(done(movement));
      else offerUndo(session, done(movement), movement);
    },
  });
  levels.subscribe(dialog);
}

/** What can arrive, soonest first, then in each warehouse what nobody announced. */
function deliveriesOf(session, levels, announced) {
  const known = announced.map(({ id, level: { warehouse }, transfer, ...of }) => {
    const rest = minus(of.quantity, of.received);
    const source = transfer ? `transfer ${transfer.number} from ${transfer.from.name}` : (of.reference ?? 'announced');
    const label = `${warehouse.name}: ${number(rest)}, ${source}${due(of)}`;
    const document = transfer ? RECEIVE_TRANSFER : RECEIVE;
    return { label, warehouse: warehouse.code, rest, document, transfer, announcement: transfer ? null : id };
  });
  const others = session.warehouses.map(({ code, name }) => {
    const isAnnounced = known.some(({ warehouse, announcement }) => announcement && warehouse === code);
    // To receive units that are of no announcement would fill the oldest one.
    return { label: `${name}: not announced`, warehouse: code, document: isAnnounced ? ADJUST : RECEIVE };
  });
  const first = others.findIndex(({ warehouse }) => levels.codes.includes(warehouse));
  return [...known, ...(first > 0 ? others.splice(first, 1) : []), ...others];
}

function due({ expectedAt, overdue }) {
  if (!expectedAt) return '';
  return overdue ? `, was due ${date(expectedAt)}` : `, due ${date(expectedAt)}`;
}

function inputOf(sku, { document, warehouse, announcement, transfer }, { quantity, reference, reason }) {
  if (transfer) return { number: transfer.number, lines: [{ sku, quantity }], reason };
  if (document === ADJUST)
    return { changes: [{ sku, warehouse, delta: quantity }], reference, reason: reason ?? 'Received' };
  return { warehouse, lines: [{ sku, quantity, announcement }], reference, reason };
}

function preview(levels, { warehouse, rest }, quantity) {
  const onHand = levels.onHand(warehouse);
  const after = quantity > 0 ? `, ${number(plus(onHand, quantity))} after` : '';
  const missing = rest && quantity > 0 ? minus(rest, quantity) : 0;
  const then = missing > 0 ? ` ${number(missing)} of the delivery still to come.` : '';
  return `${number(onHand)} on hand now${after}.${then}`;
}

const done = ({ quantity, onHandAfter, level: { item, warehouse } }) =>
  `${item.name} in ${warehouse.name}: ${number(quantity)} received, now ${number(onHandAfter)} on hand.`;
