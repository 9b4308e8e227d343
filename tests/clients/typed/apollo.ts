import { ApolloClient, ApolloLink, HttpLink, InMemoryCache } from '@apollo/client';
import { GraphQLWsLink } from '@apollo/client/link/subscriptions';
import { getMainDefinition, relayStylePagination } from '@apollo/client/utilities';
import { OperationTypeNode } from 'graphql';
import { createClient } from 'graphql-ws';
import { possibleTypes } from './interfaces.js';

const SEARCHED = ['filter', 'sort', 'reverse'];
const SHOWN = [...SEARCHED, 'website'];
const inventoryLevels = relayStylePagination(SEARCHED);

export const cache = () =>
  new InMemoryCache({
    possibleTypes,
    typePolicies: {
      // One for each client.
      Viewer: { keyFields: [] },
      // No id, and one for each field that has them: two queries for different fields of it add up.
      InventorySettings: { merge: true },
      InventoryTotals: { merge: true },
      QuantityRules: { merge: true },
      Query: {
        fields: {
          products: relayStylePagination(SHOWN),
          inventoryItems: relayStylePagination(SHOWN),
          categories: relayStylePagination(),
          warehouses: relayStylePagination(),
          websites: relayStylePagination(),
          organizations: relayStylePagination(),
          inventoryLevels,
          stockMovements: relayStylePagination(['filter']),
          stockAnnouncements: relayStylePagination(SEARCHED),
          stockHolds: relayStylePagination(['filter']),
          inventoryTransfers: relayStylePagination(['filter']),
          orders: relayStylePagination(SEARCHED),
          shipments: relayStylePagination(SEARCHED),
          lowInventoryAlerts: relayStylePagination(['filter']),
          lowStockReport: relayStylePagination(['warehouse', 'website', 'category']),
          demandReport: relayStylePagination(['days', 'coverDays', 'website', 'category', 'sort']),
          backInStockSubscriptions: relayStylePagination(['sku', 'state']),
          inventoryChanges: relayStylePagination(['skus', 'warehouses']),
          webhookEndpoints: relayStylePagination(),
          webhookDeliveries: relayStylePagination(['endpoint', 'state']),
        },
      },
      Category: { fields: { products: relayStylePagination(SHOWN) } },
      Product: { fields: { inventoryLevels, combinations: relayStylePagination() } },
      Combination: { fields: { inventoryLevels } },
      Warehouse: { fields: { inventoryLevels } },
      InventoryLevel: {
        fields: {
          movements: relayStylePagination(),
          allocations: relayStylePagination(),
          announcements: relayStylePagination(),
        },
      },
      Order: { fields: { movements: relayStylePagination() } },
    },
  });

export function client(url: string, token?: string) {
  const headers: Record<string, string> = token ? { Authorization: `Bearer ${token}` } : {};
  const socket = new GraphQLWsLink(createClient({ url: url.replace(/^http/, 'ws'), connectionParams: headers }));
  const isSubscription = ({ query }: ApolloLink.Operation) => {
    const definition = getMainDefinition(query);
    return 'operation' in definition && definition.operation === OperationTypeNode.SUBSCRIPTION;
  };
  return new ApolloClient({
    link: ApolloLink.split(isSubscription, socket, new HttpLink({ uri: url, headers })),
    cache: cache(),
  });
}
