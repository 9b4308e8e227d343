// The documents of the actions: what changes stock.

export const ADJUST = /* GraphQL */ `
  mutation StockroomAdjust($input: AdjustStockInput!) {
    adjustStock(input: $input) {
      movements {
        id
        quantity
        onHandAfter
        level {
          id
          item {
            sku
            name
          }
          warehouse {
            code
            name
          }
        }
      }
      userErrors {
        message
        path
      }
    }
  }
`;

export const COUNT = /* GraphQL */ `
  mutation StockroomCount($input: SetStockInput!) {
    setStock(input: $input) {
      movements {
        id
        quantity
        onHandAfter
        level {
          id
          item {
            sku
            name
          }
          warehouse {
            code
            name
          }
        }
      }
      userErrors {
        message
        path
      }
    }
  }
`;

export const ITEM_LEVELS = /* GraphQL */ `
  query StockroomItemLevels($sku: String!, $first: Int!, $after: String) {
    inventoryLevels(filter: { skus: [$sku] }, first: $first, after: $after) {
      nodes {
        id
        onHand
        available
        warehouse {
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
