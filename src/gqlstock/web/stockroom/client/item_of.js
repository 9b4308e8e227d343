// One item, read by its SKU.

import { ServerError } from './graphql.js';

/** The item that a document with `$sku` asks for as its only field. Throws a sentence to show if there is none. */
export async function itemOf(server, document, sku, signal = server.signal) {
  const [item] = Object.values(await server.ask(document, { sku }, signal));
  if (!item) throw new ServerError(sku ? `There is no item ${sku}. It may have been deleted.` : 'The address names no item.');
  return item;
}
