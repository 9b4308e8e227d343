// The documents of the pages of orders.

export const ORDERS = /* GraphQL */ `
  query StockroomOrders(
    $filter: OrderFilter
    $reverse: Boolean!
    $first: Int
    $after: String
    $last: Int
    $before: String
  ) {
    orders(filter: $filter, reverse: $reverse, first: $first, after: $after, last: $last, before: $before) {
      nodes {
        id
        number
        status
        reference
        customerEmail
        placedAt
        expectedAt
        lines {
          id
          sku
          name
          quantity
          shipped
          returned
          canceled
          allocations {
            id
            quantity
            state
            expectedAt
            warehouse {
              code
              name
            }
            shipment {
              number
            }
          }
        }
        shipments {
          id
          number
          state
          warehouse {
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

export const ORDER = /* GraphQL */ `
  query StockroomOrder($number: String!) {
    order(number: $number) {
      id
      number
      status
      reference
      customerEmail
      website {
        name
      }
      placedAt
      expectedAt
      promisedAt
      canceledAt
      lines {
        id
        sku
        name
        quantity
        shipped
        returned
        canceled
        item {
          sku
        }
        allocations {
          id
          quantity
          state
          expectedAt
          warehouse {
            code
            name
          }
          shipment {
            number
          }
        }
      }
      shipments {
        id
        number
        state
        warehouse {
          name
        }
        items {
          line {
            id
            name
          }
          quantity
        }
        expectedAt
        trackingNumber
        carrier
        createdAt
        shippedAt
      }
    }
  }
`;

export const PACK = /* GraphQL */ `
  mutation StockroomPack($input: CreateShipmentInput!) {
    createShipment(input: $input) {
      shipment {
        id
        number
        state
        warehouse {
          name
        }
        items {
          quantity
        }
      }
      userErrors {
        message
        path
      }
    }
  }
`;

export const SHIP = /* GraphQL */ `
  mutation StockroomShip($input: ShipShipmentInput!) {
    shipShipment(input: $input) {
      shipment {
        number
        warehouse {
          name
        }
        order {
          number
          status
        }
      }
      userErrors {
        message
        path
      }
    }
  }
`;

export const UNPACK = /* GraphQL */ `
  mutation StockroomUnpack($input: CancelShipmentInput!) {
    cancelShipment(input: $input) {
      shipment {
        number
      }
      userErrors {
        message
        path
      }
    }
  }
`;

export const CANCEL_ORDER = /* GraphQL */ `
  mutation StockroomCancelOrder($input: CancelOrderInput!) {
    cancelOrder(input: $input) {
      order {
        number
        status
      }
      userErrors {
        message
        path
      }
    }
  }
`;

export const RETURN = /* GraphQL */ `
  mutation StockroomReturn($input: ReturnItemsInput!) {
    returnItems(input: $input) {
      order {
        number
      }
      userErrors {
        message
        path
      }
    }
  }
`;

export const MOVE = /* GraphQL */ `
  mutation StockroomMove($input: MoveAllocationsInput!) {
    moveAllocations(input: $input) {
      order {
        number
      }
      userErrors {
        message
        path
      }
    }
  }
`;

export const RETRY = /* GraphQL */ `
  mutation StockroomRetry($input: RetryOrderInput!) {
    retryOrder(input: $input) {
      order {
        number
        status
      }
      userErrors {
        message
        path
      }
    }
  }
`;
