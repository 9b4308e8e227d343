// What can be done with what is on its way, in the order in which menus offer it.

import { change } from './incoming/change.js';
import { receive, receiveDelivery } from './incoming/receive.js';
import { cancelTransfer, receiveTransfer } from './incoming/transfer.js';
import { withdraw } from './incoming/withdraw.js';
import { started } from './started.js';

/**
 * The actions for an announcement: `[{ label, run }]`. The units of a transfer are received with the others of it.
 * `signal` is aborted when the page is left.
 */
export function actionsOfAnnouncement(session, announcement, signal) {
  const { transfer, reference } = announcement;
  const offer = (label, open, given = announcement) => ({
    label,
    run: () => started(session, () => open(session, given, signal), signal),
  });
  if (transfer) {
    return [
      offer('Receive the transfer…', receiveTransfer, transfer),
      offer('Change the date…', change),
      offer('Cancel the transfer…', cancelTransfer, transfer),
    ];
  }
  return [
    offer('Receive…', receive),
    ...(reference ? [offer(`Receive delivery ${reference}…`, receiveDelivery)] : []),
    offer('Change…', change),
    offer('Withdraw…', withdraw),
  ];
}
