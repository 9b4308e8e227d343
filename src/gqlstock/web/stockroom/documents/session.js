// The documents that several pages send. Documents are complete constants, so that they can be validated against the schema
// and registered as persisted operations.

export const VIEWER = /* GraphQL */ `
  query StockroomViewer {
    viewer {
      name
      scopes
      warehouses
    }
  }
`;

// Asked before a list, to follow changes that are committed while the list is read.
export const LATEST_CURSOR = /* GraphQL */ `
  query StockroomPlace {
    inventoryChanges(last: 1) {
      pageInfo {
        endCursor
      }
    }
  }
`;

export const WAREHOUSES = /* GraphQL */ `
  query StockroomWarehouses($first: Int!, $after: String) {
    warehouses(first: $first, after: $after) {
      nodes {
        code
        name
        active
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
`;

export const ALERT_NEWS = /* GraphQL */ `
  subscription StockroomAlertNews($after: String) {
    lowInventoryAlerts(after: $after) {
      cursor
    }
  }
`;

export const ORDER_NEWS = /* GraphQL */ `
  subscription StockroomOrderNews($after: String) {
    orderChanges(after: $after) {
      cursor
    }
  }
`;

export const ACKNOWLEDGE = /* GraphQL */ `
  mutation StockroomAcknowledge($id: ID!) {
    acknowledgeLowInventoryAlert(input: { id: $id }) {
      userErrors {
        message
      }
    }
  }
`;
