// The documents of the item page.

export const ITEM = /* GraphQL */ `
  query StockroomItem($sku: String!) {
    inventoryItem(sku: $sku) {
      id
      sku
      name
      barcode
      images {
        url
      }
      inventoryTotals {
        onHand
        reserved
        planned
        held
        backordered
        incoming
        available
      }
      inventorySettings {
        notifyBelow
      }
      ... on Product {
        tracking
        inventoryStatus
        category {
          slug
          name
        }
      }
      ... on Combination {
        product {
          sku
          name
          inventoryStatus
          category {
            slug
            name
          }
        }
      }
    }
  }
`;

export const COMBINATIONS = /* GraphQL */ `
  query StockroomCombinations($sku: String!, $first: Int!, $after: String) {
    product(sku: $sku) {
      combinations(first: $first, after: $after) {
        nodes {
          id
          sku
          name
          inventoryTotals {
            onHand
            available
            backordered
            incoming
          }
        }
        pageInfo {
          hasNextPage
          endCursor
        }
      }
    }
  }
`;

export const WEBSITES = /* GraphQL */ `
  query StockroomWebsites($first: Int!, $after: String) {
    websites(first: $first, after: $after) {
      nodes {
        code
        name
        organization {
          code
          name
        }
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
`;

export const EXPLANATION = /* GraphQL */ `
  query StockroomExplanation($sku: String!, $website: String) {
    explainAvailability(sku: $sku, website: $website) {
      availability {
        website
        status
        orderable
        salableQuantity
        message
      }
      terms {
        text
        quantity
        origin {
          setting
          scope
          owner
        }
      }
    }
  }
`;

// One page of the ledger, latest first.
export const LEDGER = /* GraphQL */ `
  query StockroomLedger($sku: String!, $first: Int, $after: String, $last: Int, $before: String, $orders: Boolean!) {
    stockMovements(filter: { skus: [$sku] }, first: $first, after: $after, last: $last, before: $before) {
      nodes {
        id
        createdAt
        kind
        quantity
        onHandAfter
        reason
        reference
        actor
        order @include(if: $orders) {
          number
        }
        level {
          warehouse {
            code
            name
          }
        }
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

// What the plot is drawn from, latest first.
export const STEPS = /* GraphQL */ `
  query StockroomSteps($sku: String!, $since: DateTime, $first: Int!, $after: String) {
    stockMovements(filter: { skus: [$sku], since: $since }, first: $first, after: $after) {
      nodes {
        id
        createdAt
        quantity
        onHandAfter
        level {
          warehouse {
            code
            name
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

export const ITEM_NEWS = /* GraphQL */ `
  subscription StockroomItemNews($sku: String!, $after: String) {
    inventoryChanges(skus: [$sku], after: $after) {
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
            reserved
            planned
            held
            backordered
            incoming
            available
          }
        }
      }
      movement {
        id
        createdAt
        quantity
        onHandAfter
        level {
          warehouse {
            code
            name
          }
        }
      }
    }
  }
`;

// Oldest first: stock that arrives goes to them in this order.
export const WAITING_ORDERS = /* GraphQL */ `
  query StockroomWaitingOrders($sku: String!, $first: Int!, $after: String) {
    orders(filter: { sku: $sku, statuses: [PLACED, PARTIALLY_SHIPPED] }, reverse: true, first: $first, after: $after) {
      nodes {
        id
        number
        placedAt
        lines {
          item {
            sku
          }
          backordered
          expectedAt
        }
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
`;

export const SETTINGS_OF_PLACE = /* GraphQL */ `
  query StockroomSettingsOfPlace($scope: SettingScopeInput!) {
    inventorySettings(scope: $scope) {
      scope
      own
      origins {
        setting
        scope
        owner
        value
      }
    }
  }
`;

export const SET_SETTING = /* GraphQL */ `
  mutation StockroomSetSetting($input: SetInventorySettingsInput!) {
    setInventorySettings(input: $input) {
      settings {
        scope
        own
        origins {
          setting
          scope
          owner
          value
        }
      }
      userErrors {
        message
        path
      }
    }
  }
`;
