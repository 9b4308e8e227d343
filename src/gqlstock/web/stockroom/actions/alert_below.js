// Sets when staff is alerted about an item: at the item, at one warehouse alone, or where the item inherits it from.

import { itemOf } from '../client/item_of.js';
import { ITEM } from '../documents/item.js';
import { openSetting, placesOf } from './setting.js';

const fits = ({ tracking }) => tracking !== 'DO_NOT_TRACK';

export const alertBelow = { label: 'Alert below…', scope: 'settings:write', fits, open };

/** Opens the dialog for an item with `sku` and `name`. */
async function open(session, item, signal) {
  const places = placesOf(await itemOf(session.server, ITEM, item.sku, signal));
  await openSetting(session, { item, name: 'notifyBelow', places, signal });
}
