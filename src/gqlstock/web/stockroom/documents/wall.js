// The documents of the wall display.

export const LEVELS = /* GraphQL */ `
  query WallLevels(
    $filter: InventoryLevelFilter
    $sort: InventoryLevelSort! = NAME
    $reverse: Boolean! = false
    $first: Int!
    $after: String
    $counted: Boolean!
  ) {
    inventoryLevels(filter: $filter, sort: $sort, reverse: $reverse, first: $first, after: $after) {
      nodes {
        ...WallLevel
      }
      pageInfo {
        hasNextPage
        endCursor
      }
      totalCount @include(if: $counted)
    }
  }

  fragment WallLevel on InventoryLevel {
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
    onHand
    reserved
    planned
    held
    available
  }
`;

// The server decides what is low: an alert is open.
export const LOW = /* GraphQL */ `
  query WallLow($skus: [String!]!) {
    lowInventoryAlerts(filter: { state: RAISED, skus: $skus }, first: 250) {
      nodes {
        item {
          id
        }
        warehouse {
          code
        }
      }
    }
  }
`;

export const LEVEL_CHANGES = /* GraphQL */ `
  subscription WallLevelChanges($skus: [String!]!, $after: String) {
    inventoryChanges(skus: $skus, after: $after) {
      cursor
      level {
        id
        onHand
        reserved
        planned
        held
        available
      }
    }
  }
`;

export const ALERTS = /* GraphQL */ `
  query WallAlerts {
    waiting: lowInventoryAlerts(filter: { state: RAISED, acknowledged: false }, first: 50) {
      totalCount
      nodes {
        ...WallAlert
      }
    }
    taken: lowInventoryAlerts(filter: { state: RAISED, acknowledged: true }, first: 50) {
      totalCount
      nodes {
        ...WallAlert
      }
    }
    resolved: lowInventoryAlerts(filter: { state: RESOLVED }, first: 5) {
      nodes {
        ...WallAlert
      }
    }
  }

  fragment WallAlert on LowInventoryAlert {
    id
    item {
      sku
      name
    }
    sku
    name
    warehouse {
      name
    }
    quantityLeft
    threshold
    state
    raisedAt
    acknowledgedAt
    acknowledgedBy
    resolvedAt
  }
`;

// Counts for ten minutes, bounded by eleven timestamps.
export const ORDERS = /* GraphQL */ `
  query WallOrders(
    $t0: DateTime!
    $t1: DateTime!
    $t2: DateTime!
    $t3: DateTime!
    $t4: DateTime!
    $t5: DateTime!
    $t6: DateTime!
    $t7: DateTime!
    $t8: DateTime!
    $t9: DateTime!
    $t10: DateTime!
  ) {
    m0: orders(filter: { placedSince: $t0, placedUntil: $t1 }, first: 0) {
      totalCount
    }
    m1: orders(filter: { placedSince: $t1, placedUntil: $t2 }, first: 0) {
      totalCount
    }
    m2: orders(filter: { placedSince: $t2, placedUntil: $t3 }, first: 0) {
      totalCount
    }
    m3: orders(filter: { placedSince: $t3, placedUntil: $t4 }, first: 0) {
      totalCount
    }
    m4: orders(filter: { placedSince: $t4, placedUntil: $t5 }, first: 0) {
      totalCount
    }
    m5: orders(filter: { placedSince: $t5, placedUntil: $t6 }, first: 0) {
      totalCount
    }
    m6: orders(filter: { placedSince: $t6, placedUntil: $t7 }, first: 0) {
      totalCount
    }
    m7: orders(filter: { placedSince: $t7, placedUntil: $t8 }, first: 0) {
      totalCount
    }
    m8: orders(filter: { placedSince: $t8, placedUntil: $t9 }, first: 0) {
      totalCount
    }
    m9: orders(filter: { placedSince: $t9, placedUntil: $t10 }, first: 0) {
      totalCount
    }
  }
`;

export const DEMAND = /* GraphQL */ `
  query WallDemand($days: Int!) {
    demandReport(days: $days, sort: DAYS_OF_COVER, first: 100) {
      nodes {
        item {
          sku
          name
        }
        perDay
        available
        daysOfCover
        suggestedReorder
      }
    }
  }
`;

// Overdue announcements have the earliest dates, so they come first.
export const ON_ITS_WAY = /* GraphQL */ `
  query WallOnItsWay {
    open: stockAnnouncements(filter: { open: true }, first: 50) {
      totalCount
      nodes {
        id
        quantity
        received
        expectedAt
        overdue
        reference
        level {
          item {
            id
            sku
            name
          }
          warehouse {
            name
          }
          backordered
        }
      }
    }
    overdue: stockAnnouncements(filter: { overdue: true }, first: 0) {
      totalCount
    }
  }
`;

export const MOVEMENTS = /* GraphQL */ `
  query WallMovements($sku: String!, $after: String, $orders: Boolean!) {
    stockMovements(filter: { skus: [$sku] }, first: 100, after: $after) {
      nodes {
        ...WallMovement
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
    inventoryLevels(filter: { skus: [$sku] }, first: 250) {
      nodes {
        onHand
        available
        warehouse {
          code
          name
        }
      }
    }
  }

  fragment WallMovement on StockMovement {
    id
    createdAt
    kind
    quantity
    onHandAfter
    reason
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
`;

export const MOVEMENT_CHANGES = /* GraphQL */ `
  subscription WallMovementChanges($sku: String!, $after: String, $orders: Boolean!) {
    inventoryChanges(skus: [$sku], after: $after) {
      cursor
      level {
        onHand
        available
        warehouse {
          code
          name
        }
      }
      movement {
        ...WallMovement
      }
    }
  }

  fragment WallMovement on StockMovement {
    id
    createdAt
    kind
    quantity
    onHandAfter
    reason
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
`;
