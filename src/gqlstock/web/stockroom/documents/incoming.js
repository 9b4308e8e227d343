// The documents of the page of what is on its way.

export const INCOMING = /* GraphQL */ `
  query StockroomIncoming($filter: StockAnnouncementFilter, $first: Int, $after: String, $last: Int, $before: String) {
    stockAnnouncements(filter: $filter, first: $first, after: $after, last: $last, before: $before) {
      nodes {
        id
        quantity
        received
        expectedAt
        overdue
        reference
        level {
          id
          item {
            id
            sku
            name
          }
          warehouse {
            code
            name
          }
          backordered
        }
        transfer {
          id
          number
          from {
            name
          }
          to {
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

export const INCOMING_CHANGES = /* GraphQL */ `
  subscription StockroomIncomingChanges($skus: [String!]!, $after: String) {
    inventoryChanges(skus: $skus, after: $after) {
      cursor
      level {
        id
        onHand
        available
        item {
          id
        }
        warehouse {
          code
          name
        }
      }
      movement {
        id
      }
    }
  }
`;

// All that is still to come of one delivery.
export const DELIVERY = /* GraphQL */ `
  query StockroomDelivery($reference: String!, $warehouse: String!, $first: Int!, $after: String) {
    stockAnnouncements(
      filter: { open: true, reference: $reference, warehouses: [$warehouse] }
      first: $first
      after: $after
    ) {
      nodes {
        id
        quantity
        received
        level {
          item {
            sku
            name
          }
        }
        transfer {
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

export const TRANSFER_LINES = /* GraphQL */ `
  query StockroomTransferLines($number: String!) {
    inventoryTransfer(number: $number) {
      lines {
        sku
        quantity
        received
        returned
        lost
        item {
          name
        }
      }
    }
  }
`;

export const UPDATE_ANNOUNCEMENT = /* GraphQL */ `
  mutation StockroomUpdateAnnouncement($input: UpdateStockAnnouncementInput!) {
    updateStockAnnouncement(input: $input) {
      inventoryLevels {
        id
      }
      userErrors {
        message
        path
      }
    }
  }
`;

export const WITHDRAW = /* GraphQL */ `
  mutation StockroomWithdraw($input: WithdrawStockAnnouncementInput!) {
    withdrawStockAnnouncement(input: $input) {
      inventoryLevels {
        id
      }
      userErrors {
        message
        path
      }
    }
  }
`;

export const CANCEL_TRANSFER = /* GraphQL */ `
  mutation StockroomCancelTransfer($input: CancelTransferInput!) {
    cancelTransfer(input: $input) {
      transfer {
        number
        from {
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
