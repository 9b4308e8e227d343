// The documents of the status of a product.

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
