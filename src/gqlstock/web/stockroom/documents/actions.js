// The documents of the actions: what changes stock, and what its dialogs read.

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
        ... on StaleQuantityError {
          warehouse
          expected
          actual
        }
      }
    }
  }
`;

export const RECEIVE = /* GraphQL */ `
  mutation StockroomReceive($input: ReceiveStockInput!) {
    receiveStock(input: $input) {
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

export const RECEIVE_TRANSFER = /* GraphQL */ `
  mutation StockroomReceiveTransfer($input: ReceiveTransferInput!) {
    receiveTransfer(input: $input) {
      transfer {
        number
        state
        to {
          name
        }
      }
      userErrors {
        message
        path
      }
    }
  }
`;

export const TRANSFER = /* GraphQL */ `
  mutation StockroomTransfer($input: TransferStockInput!) {
    transferStock(input: $input) {
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

export const SHIP_TRANSFER = /* GraphQL */ `
  mutation StockroomShipTransfer($input: ShipTransferInput!) {
    shipTransfer(input: $input) {
      transfer {
        number
        to {
          name
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
        inventorySettings {
          decrementInventory
        }
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

// Soonest first.
export const ITEM_ANNOUNCEMENTS = /* GraphQL */ `
  query StockroomItemAnnouncements($sku: String!, $first: Int!, $after: String) {
    stockAnnouncements(filter: { skus: [$sku], open: true }, first: $first, after: $after) {
      nodes {
        id
        quantity
        received
        expectedAt
        overdue
        reference
        level {
          warehouse {
            code
            name
          }
        }
        transfer {
          number
          from {
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
