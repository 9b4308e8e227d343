// The documents of the stock page.

export const ITEMS = /* GraphQL */ `
  query StockroomItems(
    $filter: InventoryItemFilter
    $sort: InventoryItemSort! = NAME
    $reverse: Boolean! = false
    $first: Int
    $after: String
    $last: Int
    $before: String
    $warehouses: [String!]!
    $levels: Int!
    $counted: Boolean! = false
  ) {
    inventoryItems(
      filter: $filter
      sort: $sort
      reverse: $reverse
      first: $first
      after: $after
      last: $last
      before: $before
    ) {
      nodes {
        id
        sku
        name
        images {
          url
        }
        ... on Product {
          tracking
          inventoryStatus
        }
        ... on Combination {
          product {
            id
            inventoryStatus
          }
        }
        inventoryTotals {
          onHand
          available
          backordered
          incoming
        }
        inventoryLevels(filter: { warehouses: $warehouses }, first: $levels) {
          nodes {
            onHand
            warehouse {
              code
            }
          }
        }
      }
      pageInfo {
        hasPreviousPage
        hasNextPage
        startCursor
        endCursor
      }
      totalCount @include(if: $counted)
    }
  }
`;

// What the page shows of its items beside their figures. The server decides what is low: an alert is open.
export const LOW_ITEMS = /* GraphQL */ `
  query StockroomLowItems($skus: [String!]!, $first: Int!, $after: String) {
    lowInventoryAlerts(filter: { state: RAISED, skus: $skus }, first: $first, after: $after) {
      nodes {
        item {
          id
        }
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
`;

export const INCOMING_OF_ITEMS = /* GraphQL */ `
  query StockroomIncomingOfItems($skus: [String!]!, $first: Int!, $after: String) {
    stockAnnouncements(filter: { skus: $skus, open: true }, first: $first, after: $after) {
      nodes {
        expectedAt
        overdue
        level {
          item {
            id
          }
        }
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
`;

export const ITEM_CHANGES = /* GraphQL */ `
  subscription StockroomItemChanges($skus: [String!]!, $after: String) {
    inventoryChanges(skus: $skus, after: $after) {
      cursor
      level {
        id
        onHand
        available
        warehouse {
          code
          name
        }
        item {
          id
          inventoryTotals {
            onHand
            available
            backordered
            incoming
          }
          ... on Combination {
            product {
              id
              inventoryTotals {
                onHand
                available
                backordered
                incoming
              }
            }
          }
        }
      }
      movement {
        id
      }
    }
  }
`;
