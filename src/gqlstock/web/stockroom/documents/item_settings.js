// The documents of the settings and the status of an item.

export const ITEM_SETTINGS = /* GraphQL */ `
  query StockroomItemSettings($sku: String!) {
    inventoryItem(sku: $sku) {
      settingOrigins {
        setting
        scope
        owner
        value
      }
      ... on Combination {
        product {
          sku
          name
          settingOrigins {
            setting
            scope
            owner
            value
          }
        }
      }
    }
  }
`;

export const LEVEL_SETTINGS = /* GraphQL */ `
  query StockroomLevelSettings($sku: String!, $first: Int!, $after: String) {
    inventoryLevels(filter: { skus: [$sku] }, first: $first, after: $after) {
      nodes {
        available
        warehouse {
          code
          name
        }
        settingOrigins {
          setting
          scope
          owner
          value
        }
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
`;

export const SET_SETTINGS = /* GraphQL */ `
  mutation StockroomSetSettings($input: SetInventorySettingsInput!) {
    setInventorySettings(input: $input) {
      settings {
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

export const ITEM_STATUS = /* GraphQL */ `
  query StockroomItemStatus($sku: String!) {
    product(sku: $sku) {
      inventoryStatus
      inventorySettings {
        visibleStatuses
        orderableStatuses
      }
    }
  }
`;

export const SET_STATUS = /* GraphQL */ `
  mutation StockroomSetStatus($input: SetInventoryStatusInput!) {
    setInventoryStatus(input: $input) {
      product {
        name
        inventoryStatus
      }
      userErrors {
        message
        path
      }
    }
  }
`;
