// What the sum of an item is made of: its levels, one per warehouse, below its row.

import { Refused } from '../../client/graphql.js';
import { nodes } from '../../client/paging.js';
import { ITEM_LEVELS } from '../../documents/actions.js';
import { element } from '../../elements/element.js';
import { number } from '../../elements/figures.js';

/** A list of the item's levels, which fills as they are read and follows their changes until `signal` is aborted. */
export function warehousesOf(session, item, signal) {
  const list = element('ul', { class: 'warehouses', 'aria-label': `${item.name} by warehouse` });
  const entries = new Map();
  const show = ({ warehouse, onHand, available }) => {
    if (!entries.has(warehouse.code)) {
      entries.set(warehouse.code, element('span', { class: 'figure' }));
      list.append(element('li', {}, `${warehouse.name}: `, entries.get(warehouse.code)));
    }
    const text = onHand === available ? number(onHand) : `${number(onHand)}, ${number(available)} available`;
    entries.get(warehouse.code).textContent = text;
  };
  const read = async () => {
    for await (const level of nodes(session.server, ITEM_LEVELS, { sku: item.sku }, signal)) {
      // A change is newer.
      if (!entries.has(level.warehouse.code)) show(level);
    }
  };
  session.changes.listen(({ level }) => level.item.id === item.id && show(level), signal);
  read().catch((error) => signal.aborted || error instanceof Refused || session.notices.show(error.message));
  return list;
}
