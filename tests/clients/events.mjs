// What people do with server-sent events, with the graphql-sse client in its distinct connections mode. Each case is a
// line of JSON: its name, what happened, and what should have.
import { createClient } from 'graphql-sse';

const [url, token] = process.argv.slice(2);
const QUERY = '{ viewer { authenticated } }';
const SHELF = 'subscription { availabilityChanges(skus: ["MUG"]) { sku } }';
const codes = (errors) => errors.map((error) => error.extensions?.code);
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const client = (options = {}) => createClient({ url, retryAttempts: 0, ...options });

function collect(client, request, most = Infinity) {
  return new Promise((resolve) => {
    const heard = [];
    const stop = client.subscribe(request, {
      next: (result) => {
        heard.push(result.errors ? { codes: codes(result.errors) } : result.data);
        if (heard.length >= most) stop();
      },
      error: (error) => resolve([...heard, { status: error.response?.status }]),
      complete: () => resolve([...heard, 'complete']),
    });
  });
}

const CASES = {
  'a query': [() => collect(client(), { query: QUERY }), [{ viewer: { authenticated: false } }, 'complete']],
  'a query with a token': [
    () => collect(client({ headers: { Authorization: `Bearer ${token}` } }), { query: QUERY }),
    [{ viewer: { authenticated: true } }, 'complete'],
  ],
  'a subscription, completed by the client': [
    () => collect(client(), { query: SHELF }, 1),
    [{ availabilityChanges: { sku: 'MUG' } }, 'complete'],
  ],
  'two at once': [
    async () => {
      const one = client();
      return Promise.all([collect(one, { query: SHELF }, 1), collect(one, { query: QUERY })]);
    },
    [
      [{ availabilityChanges: { sku: 'MUG' } }, 'complete'],
      [{ viewer: { authenticated: false } }, 'complete'],
    ],
  ],
  'a mutation': [
    () =>
      collect(client(), {
        query: 'mutation { placeOrder(input: { lines: [{ sku: "MUG", quantity: 1 }] }) { userErrors { code } } }',
      }),
    [{ codes: ['UNAUTHENTICATED'] }, 'complete'],
  ],
  'a syntax error': [() => collect(client(), { query: '{' }), [{ codes: ['BAD_USER_INPUT'] }, 'complete']],
  'an unknown field': [() => collect(client(), { query: '{ nothing }' }), [{ codes: ['BAD_USER_INPUT'] }, 'complete']],
  'a wrong variable': [
    () => collect(client(), { query: 'subscription ($s: [String!]!) { availabilityChanges(skus: $s) { sku } }' }),
    [{ codes: ['BAD_USER_INPUT'] }, 'complete'],
  ],
  'a missing scope': [
    () => collect(client(), { query: 'subscription { inventoryChanges { cursor } }' }),
    [{ codes: ['UNAUTHENTICATED'] }, 'complete'],
  ],
  'a token of nobody': [
    () => collect(client({ headers: { Authorization: 'Bearer gqls_nobody' } }), { query: QUERY }),
    [{ status: 401 }],
  ],
};

const results = await Promise.all(
  Object.entries(CASES).map(async ([name, [run, wanted]]) => {
    const got = await Promise.race([run().catch((error) => `failed: ${error}`), sleep(20000).then(() => 'nothing')]);
    return { name, got, wanted };
  }),
);
for (const result of results) console.log(JSON.stringify(result));
process.exit(0);
