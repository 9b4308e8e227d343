// Apollo Client and urql as storefronts use them. Each case is a line of JSON: its name, what happened, what should have.
import { createHash } from 'node:crypto';
import { ApolloClient, ApolloLink, gql, HttpLink, InMemoryCache } from '@apollo/client';
import { GraphQLWsLink } from '@apollo/client/link/subscriptions';
import { PersistedQueryLink } from '@apollo/client/link/persisted-queries';
import { cacheExchange, Client, fetchExchange, subscriptionExchange } from '@urql/core';
import { persistedExchange } from '@urql/exchange-persisted';
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';

const [url, token] = process.argv.slice(2);
const headers = { Authorization: `Bearer ${token}` };
const socketUrl = url.replace('http', 'ws');
const QUERY = gql`query Shelf($sku: String!) { product(sku: $sku) { __typename sku } }`;
const MUTATION = gql`mutation Order($input: PlaceOrderInput!) { placeOrder(input: $input) { userErrors { code } } }`;
const NEWS = gql`subscription News($skus: [String!]!) { availabilityChanges(skus: $skus) { sku } }`;
const WRONG = gql`query Wrong { nothing }`;
const PARTLY = gql`query Partly { product { sku } viewer { authenticated } }`;
const MUG = { sku: 'MUG' };
const ORDER = { input: { lines: [{ sku: 'MUG', quantity: 1 }] } };
const sha256 = (text) => createHash('sha256').update(text).digest('hex');
const codes = (errors) => errors.map((error) => error.extensions?.code);
const sockets = () => createClient({ url: socketUrl, webSocketImpl: WebSocket, connectionParams: headers });

const apollo = (link, more = {}) =>
  new ApolloClient({ link: link ?? new HttpLink({ uri: url, headers, ...more }), cache: new InMemoryCache() });
const urql = (more = {}, exchanges = [cacheExchange, fetchExchange]) =>
  new Client({ url, exchanges, fetchOptions: { headers }, ...more });
const overSocket = () => {
  const socket = sockets();
  return subscriptionExchange({
    forwardSubscription: (request) => ({
      subscribe: (sink) => ({ unsubscribe: socket.subscribe({ ...request, query: request.query ?? '' }, sink) }),
    }),
  });
};
const failing = async (promise) => {
  try {
    return await promise;
  } catch (error) {
    return { codes: codes(error.errors ?? []), status: error.statusCode };
  }
};
const first = (observable) =>
  new Promise((resolve, reject) => {
    const subscription = observable.subscribe({
      next: (result) => (setTimeout(() => subscription.unsubscribe()), resolve(result.data)),
      error: reject,
    });
  });
const firstOf = (source) =>
  new Promise((resolve) => {
    const { unsubscribe } = source.subscribe((result) => {
      setTimeout(() => unsubscribe());
      resolve(result.data ?? result.error);
    });
  });

const SHELF = { product: { __typename: 'Product', sku: 'MUG' } };
const CASES = {
  'apollo: query': [async () => (await apollo().query({ query: QUERY, variables: MUG })).data, SHELF],
  'apollo: query by GET': [
    async () => (await apollo(null, { useGETForQueries: true }).query({ query: QUERY, variables: MUG })).data,
    SHELF,
  ],
  'apollo: mutation': [
    async () => (await apollo().mutate({ mutation: MUTATION, variables: ORDER })).data.placeOrder.userErrors,
    [],
  ],
  'apollo: subscription': [
    async () => {
      const client = apollo(new GraphQLWsLink(sockets()));
      const { availabilityChanges } = await first(client.subscribe({ query: NEWS, variables: { skus: ['MUG'] } }));
      return availabilityChanges.sku;
    },
    'MUG',
  ],
  'apollo: persisted queries fall back to the text': [
    async () => {
      const link = ApolloLink.from([new PersistedQueryLink({ sha256 }), new HttpLink({ uri: url })]);
      return (await apollo(link).query({ query: QUERY, variables: MUG })).data;
    },
    SHELF,
  ],
  'apollo: a document that is wrong': [
    async () => (await failing(apollo().query({ query: WRONG }))).codes,
    ['BAD_USER_INPUT'],
  ],
  'apollo: a field that fails beside the rest': [
    async () => {
      const { data, error } = await apollo().query({ query: PARTLY, errorPolicy: 'all' });
      return [data.viewer.authenticated, codes(error.errors)];
    },
    [true, ['BAD_USER_INPUT']],
  ],
  'apollo: a token of nobody': [
    async () => (await failing(apollo(null, { headers: { Authorization: 'Bearer x' } }).query({ query: PARTLY }))).codes,
    ['UNAUTHENTICATED'],
  ],
  'urql: query': [async () => (await urql().query(QUERY, MUG).toPromise()).data, SHELF],
  'urql: query by GET': [
    async () => (await urql({ preferGetMethod: 'force' }).query(QUERY, MUG).toPromise()).data,
    SHELF,
  ],
  'urql: mutation': [async () => (await urql().mutation(MUTATION, ORDER).toPromise()).data.placeOrder.userErrors, []],
  'urql: subscription over a websocket': [
    async () => (await firstOf(urql({}, [overSocket()]).subscription(NEWS, { skus: ['MUG'] }))),
    { availabilityChanges: { sku: 'MUG' } },
  ],
  'urql: subscription over server-sent events': [
    async () => firstOf(urql({ fetchSubscriptions: true }).subscription(NEWS, { skus: ['MUG'] })),
    { availabilityChanges: { sku: 'MUG' } },
  ],
  'urql: persisted queries fall back to the text': [
    async () => {
      const exchanges = [persistedExchange({ generateHash: async (text) => sha256(text) }), fetchExchange];
      return (await urql({}, exchanges).query(QUERY, MUG).toPromise()).data;
    },
    SHELF,
  ],
  'urql: a document that is wrong': [
    async () => codes((await urql().query(WRONG, {}).toPromise()).error.graphQLErrors),
    ['BAD_USER_INPUT'],
  ],
  'urql: a field that fails beside the rest': [
    async () => {
      const { data, error } = await urql().query(PARTLY, {}).toPromise();
      return [data.viewer.authenticated, codes(error.graphQLErrors)];
    },
    [true, ['BAD_USER_INPUT']],
  ],
};

const patience = () => new Promise((resolve) => setTimeout(() => resolve('nothing'), 15000));
const results = await Promise.all(
  Object.entries(CASES).map(async ([name, [run, wanted]]) => {
    const got = await Promise.race([run().catch((error) => `failed: ${error}`), patience()]);
    return { name, got, wanted };
  }),
);
for (const result of results) console.log(JSON.stringify(result));
process.exit(0);
