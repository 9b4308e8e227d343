// The typed clients of docs/typed-clients.md on a shop whose products are A-MUG, B-CUP and C-JUG, five of each: prints what
// the shelf shows once it is paged through, the status of an order of all mugs, and the shelf after it. The argument
// "config" prints what Apollo's cache is told instead.
import WebSocket from 'ws';

globalThis.WebSocket = WebSocket;
const compiled = new URL('typed/__generated__/javascript/', import.meta.url);
const load = (name) => import(new URL(name, compiled));
const { ShelfDocument, OrderDocument, OffersDocument } = await load('__generated__/operations.js');
const apollo = await load('apollo.js');
const urql = await load('urql.js');

const [url, token, chosen] = process.argv.slice(2);
const PAGE = { first: 2 };
const ALL = { input: { lines: [{ sku: 'A-MUG', quantity: '5' }] } };
const shown = ({ products }) => products.edges.map(({ node }) => [node.sku, node.availability.orderable]);
const until = async (condition) => {
  const deadline = Date.now() + 20_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error('nothing came');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
};

async function withApollo() {
  const client = apollo.client(url, token);
  const shelf = client.watchQuery({ query: ShelfDocument, variables: PAGE });
  let last;
  shelf.subscribe((result) => (last = result.data));
  await until(() => last?.products);
  await shelf.fetchMore({ variables: { after: last.products.pageInfo.endCursor } });
  await until(() => last.products.edges.length === 3);
  const paged = shown(last);
  client.subscribe({ query: OffersDocument, variables: { skus: ['A-MUG'] } }).subscribe(() => {});
  const { data } = await client.mutate({ mutation: OrderDocument, variables: ALL });
  await until(() => shown(last)[0][1] === false);
  return [paged, data.placeOrder.order.status, shown(last)];
}

async function withUrql() {
  const client = urql.client(url, token);
  let last;
  client.query(ShelfDocument, PAGE).subscribe(({ data }) => (last = data));
  await until(() => last?.products);
  await client.query(ShelfDocument, { ...PAGE, after: last.products.pageInfo.endCursor }).toPromise();
  await until(() => last.products.edges.length === 3);
  const paged = shown(last);
  client.subscription(OffersDocument, { skus: ['A-MUG'] }).subscribe(() => {});
  const { data } = await client.mutation(OrderDocument, ALL).toPromise();
  await until(() => shown(last)[0][1] === false);
  return [paged, data.placeOrder.order.status, shown(last)];
}

function config() {
  const { possibleTypes, typePolicies } = apollo.cache().config;
  const connections = Object.entries(typePolicies).flatMap(([type, { fields = {} }]) =>
    Object.entries(fields).map(([field, { keyArgs }]) => [type, field, [...(keyArgs || [])].sort()]),
  );
  return { possibleTypes, connections };
}

const CASES = { apollo: withApollo, urql: withUrql };
const got = url === 'config' ? config() : await CASES[chosen]();
console.log(JSON.stringify(got));
process.exit(0);
