// The documents of the overview. Each tile asks by itself, so that a slow one keeps none waiting.

export const COUNT_ITEMS = /* GraphQL */ `
  query StockroomCountItems($filter: InventoryItemFilter!) {
    inventoryItems(filter: $filter, first: 0) {
      totalCount
    }
  }
`;

export const COUNT_ORDERS = /* GraphQL */ `
  query StockroomCountOrders($filter: OrderFilter!) {
    orders(filter: $filter, first: 0) {
      totalCount
    }
  }
`;

export const BACKORDERED_UNITS = /* GraphQL */ `
  query StockroomBackorderedUnits($first: Int!, $after: String) {
    inventoryItems(filter: { backordered: true }, sort: SKU, first: $first, after: $after) {
      nodes {
        inventoryTotals {
          backordered
        }
        ... on Product {
          tracking
        }
      }
      pageInfo {
        hasNextPage
        endCursor
      }
      totalCount
    }
  }
`;

export const ARRIVING_UNITS = /* GraphQL */ `
  query StockroomArrivingUnits($filter: StockAnnouncementFilter!, $first: Int!, $after: String) {
    stockAnnouncements(filter: $filter, first: $first, after: $after) {
      nodes {
        quantity
        received
      }
      pageInfo {
        hasNextPage
        endCursor
      }
      totalCount
    }
  }
`;

export const OPEN_ALERTS = /* GraphQL */ `
  query StockroomOpenAlerts($first: Int, $after: String, $last: Int, $before: String) {
    lowInventoryAlerts(filter: { state: RAISED }, first: $first, after: $after, last: $last, before: $before) {
      nodes {
        id
        item {
          id
          sku
          name
          inventoryTotals {
            available
          }
        }
        warehouse {
          code
          name
        }
        quantityLeft
        threshold
        raisedAt
        acknowledgedAt
        acknowledgedBy
      }
      pageInfo {
        hasPreviousPage
        hasNextPage
        startCursor
        endCursor
      }
      totalCount
    }
  }
`;

// What is left in one warehouse, for alerts about it alone.
export const LEFT = /* GraphQL */ `
  query StockroomLeft($skus: [String!]!, $warehouses: [String!]!, $first: Int!, $after: String) {
    inventoryLevels(filter: { skus: $skus, warehouses: $warehouses }, first: $first, after: $after) {
      nodes {
        available
        item {
          id
        }
        warehouse {
          code
        }
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
`;
