// What a Relay application asks: a list that is paged through, an entry asked for again by its id, a mutation, news.
import { graphql } from 'relay-runtime';

graphql`
  query ShopQuery($count: Int!, $cursor: String) {
    ...Shop_products
  }
`;

graphql`
  fragment Shop_products on Query @refetchable(queryName: "ShopProductsQuery") {
    products(first: $count, after: $cursor) @connection(key: "Shop_products") {
      edges {
        node {
          ...Shop_product
        }
      }
    }
  }
`;

graphql`
  fragment Shop_product on Product @refetchable(queryName: "ShopProductQuery") {
    sku
    name
    availability {
      orderable
      onlyLeft
    }
  }
`;

graphql`
  mutation ShopOrderMutation($input: PlaceOrderInput!) {
    placeOrder(input: $input) {
      order {
        id
        number
      }
      userErrors {
        code
        message
        path
      }
    }
  }
`;

graphql`
  subscription ShopShelfSubscription($skus: [String!]!) {
    availabilityChanges(skus: $skus) {
      sku
      orderable
    }
  }
`;
