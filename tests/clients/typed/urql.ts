import { Client, fetchExchange, subscriptionExchange } from '@urql/core';
import { cacheExchange, type KeyingConfig } from '@urql/exchange-graphcache';
import { relayPagination } from '@urql/exchange-graphcache/extras';
import { createClient } from 'graphql-ws';
import { possibleTypes } from './interfaces.js';

// Neither an id nor a name of their own: kept with what they are part of.
const PARTS = [
  'Address',
  'AvailabilityExplanation',
  'AvailabilityTerm',
  'CategoryDemand',
  'GeoPoint',
  'Image',
  'IncomingStock',
  'InputError',
  'InsufficientStockError',
  'InventoryChange',
  'InventorySettings',
  'InventoryTotals',
  'InventoryTransferLine',
  'ItemDemand',
  'LowInventoryAlertChange',
  'LowStockItem',
  'NotOrderableError',
  'OptionChoice',
  'OptionChoiceValue',
  'OrderChange',
  'OrderCheck',
  'OrderCheckLine',
  'PlannedAllocation',
  'ProductOption',
  'ProductOptionValue',
  'ProductSelection',
  'QuantityNotAllowedError',
  'QuantityRules',
  'ScopedSettings',
  'SelectedOption',
  'SettingOrigin',
  'ShipmentItem',
  'StaleQuantityError',
  'StockHoldLine',
  'Viewer',
  'WebsiteWarehouse',
];

const keys: KeyingConfig = Object.fromEntries(PARTS.map((name) => [name, () => null]));
const pages = relayPagination();

export function client(url: string, token?: string) {
  const headers: Record<string, string> = token ? { Authorization: `Bearer ${token}` } : {};
  const socket = createClient({ url: url.replace(/^http/, 'ws'), connectionParams: headers });
  return new Client({
    url,
    fetchOptions: { headers },
    exchanges: [
      cacheExchange({ possibleTypes, keys, resolvers: { Query: { products: pages, orders: pages } } }),
      fetchExchange,
      subscriptionExchange({
        forwardSubscription: ({ query = '', variables }) => ({
          subscribe: (sink) => ({ unsubscribe: socket.subscribe({ query, variables }, sink) }),
        }),
      }),
    ],
  });
}
