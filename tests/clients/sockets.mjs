// What people do over a websocket, right and wrong, with the graphql-ws client and without it. Each case is a line of
// JSON: its name, what happened, and what should have.
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';

const [url, token] = process.argv.slice(2);
const socketUrl = url.replace('http', 'ws');
const PROTOCOL = 'graphql-transport-ws';
const INIT = { type: 'connection_init' };
const SHELF = 'subscription { availabilityChanges(skus: ["MUG"]) { sku } }';
const QUERY = '{ viewer { authenticated } }';
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const subscribe = (id, query, more = {}) => ({ id, type: 'subscribe', payload: { query, ...more } });

// Sends frames one after the other, each when the one before it was answered or nothing came for a while, and gives what
// came back and how the connection ended: with a code, or "open" once nothing comes any more.
async function talk(frames, { protocols = [PROTOCOL], headers = {}, patience = 400 } = {}) {
  const socket = new WebSocket(socketUrl, protocols, { headers });
  const heard = [];
  let ended = 'open';
  let wake = () => {};
  socket.on('message', (data, isBinary) => {
    heard.push(isBinary ? 'binary' : JSON.parse(data.toString()));
    wake();
  });
  const closed = new Promise((resolve) => {
    socket.on('close', (code) => resolve((ended = code)));
    socket.on('unexpected-response', (_, response) => resolve((ended = `HTTP ${response.statusCode}`)));
    socket.on('error', () => {});
  });
  const opened = new Promise((resolve) => socket.on('open', resolve));
  await Promise.race([opened, closed]);
  for (const frame of frames) {
    if (ended !== 'open') break;
    const answered = new Promise((resolve) => (wake = resolve));
    socket.send(typeof frame === 'string' || Buffer.isBuffer(frame) ? frame : JSON.stringify(frame));
    await Promise.race([answered, closed, sleep(patience)]);
  }
  await Promise.race([closed, sleep(patience)]);
  const how = ended;
  socket.terminate();
  return { heard, ended: how };
}

// What an operation of the client gives: results, then "complete", or the error.
function collect(client, request, most = Infinity) {
  return new Promise((resolve) => {
    const heard = [];
    const stop = client.subscribe(request, {
      next: (result) => {
        heard.push(result.errors ? { codes: codes(result.errors) } : result.data);
        if (heard.length >= most) {
          stop();
        }
      },
      error: (error) => resolve([...heard, Array.isArray(error) ? { error: codes(error) } : { closed: error.code }]),
      complete: () => resolve([...heard, 'complete']),
    });
  });
}

const codes = (errors) => errors.map((error) => error.extensions?.code);
const client = (options = {}) =>
  createClient({ url: socketUrl, webSocketImpl: WebSocket, retryAttempts: 0, lazy: true, ...options });
const reasonOfClosing = (options) =>
  new Promise((resolve) =>
    client(options).subscribe({ query: QUERY }, {
      next: (result) => resolve(result),
      error: (closed) => resolve([closed.code, closed.reason]),
      complete: () => resolve('complete'),
    }),
  );
const types = ({ heard, ended }) => [...heard.map((one) => one.type), ended];
const errorsOf = ({ heard, ended }) => [
  ...heard.slice(1).map((one) => [one.type, one.id, Array.isArray(one.payload) ? codes(one.payload) : null]),
  ended,
];

const CASES = {
  'a query is answered': [
    () => collect(client(), { query: QUERY }),
    [{ viewer: { authenticated: false } }, 'complete'],
  ],
  'a token in connection_init says who calls': [
    () => collect(client({ connectionParams: { Authorization: `Bearer ${token}` } }), { query: QUERY }),
    [{ viewer: { authenticated: true } }, 'complete'],
  ],
  'an authorization is found in any case, at the top and below headers': [
    () => {
      const names = ['Authorization', 'authorization', 'AUTHORIZATION'];
      const places = names.flatMap((name) => [
        { [name]: `Bearer ${token}` },
        { headers: { [name]: `Bearer ${token}` } },
        { Headers: { [name]: `bearer ${token}` } },
      ]);
      return Promise.all(places.map((connectionParams) => collect(client({ connectionParams }), { query: QUERY })));
    },
    Array(9).fill([{ viewer: { authenticated: true } }, 'complete']),
  ],
  'the same token twice is one, and null is none': [
    () => {
      const authorization = `Bearer ${token}`;
      const twice = { Authorization: authorization, headers: { authorization } };
      const none = { authorization: null, headers: { authorization: null } };
      return Promise.all([twice, none].map((connectionParams) => collect(client({ connectionParams }), { query: QUERY })));
    },
    [
      [{ viewer: { authenticated: true } }, 'complete'],
      [{ viewer: { authenticated: false } }, 'complete'],
    ],
  ],
  'an authorization that conflicts or is no text closes with 4403 and the reason': [
    () => {
      const Authorization = `Bearer ${token}`;
      const wrong = [
        { Authorization, headers: { authorization: 'Bearer gqls_nobody' } },
        { Authorization, authorization: 'Bearer gqls_nobody' },
        { headers: { Authorization: [Authorization] } },
        { Authorization, headers: 'x' },
      ];
      return Promise.all(wrong.map((connectionParams) => reasonOfClosing({ connectionParams })));
    },
    [
      [4403, 'connection_init has several values of Authorization that differ. Send one.'],
      [4403, 'connection_init has several values of Authorization that differ. Send one.'],
      [4403, 'Authorization in connection_init must be a string such as Bearer TOKEN.'],
      [4403, 'headers in connection_init must be an object.'],
    ],
  ],
  'a subscription gives a result and can be completed': [
    () => collect(client(), { query: SHELF }, 1),
    [{ availabilityChanges: { sku: 'MUG' } }, 'complete'],
  ],
  'two at once do not mix': [
    async () => {
      const one = client();
      return Promise.all([collect(one, { query: SHELF }, 1), collect(one, { query: QUERY })]);
    },
    [
      [{ availabilityChanges: { sku: 'MUG' } }, 'complete'],
      [{ viewer: { authenticated: false } }, 'complete'],
    ],
  ],
  'variables and operationName are heard': [
    () =>
      collect(client(), {
        query: 'query A { viewer { authenticated } } query B($sku: String!) { product(sku: $sku) { sku } }',
        operationName: 'B',
        variables: { sku: 'MUG' },
      }),
    [{ product: { sku: 'MUG' } }, 'complete'],
  ],
  'a syntax error is that of the operation': [
    () => collect(client(), { query: '{' }),
    [{ error: ['BAD_USER_INPUT'] }],
  ],
  'an unknown field is an error of the operation': [
    () => collect(client(), { query: 'subscription { nothing }' }),
    [{ error: ['BAD_USER_INPUT'] }],
  ],
  'a wrong variable is an error of the operation': [
    () => collect(client(), { query: 'subscription ($s: [String!]!) { availabilityChanges(skus: $s) { sku } }' }),
    [{ error: ['BAD_USER_INPUT'] }],
  ],
  'an unknown operationName is an error of the operation': [
    () => collect(client(), { query: 'query A { viewer { authenticated } }', operationName: 'B' }),
    [{ error: ['BAD_USER_INPUT'] }],
  ],
  'a missing scope is an error with its code': [
    () => collect(client(), { query: 'subscription { inventoryChanges { cursor } }' }),
    [{ codes: ['UNAUTHENTICATED'] }, 'complete'],
  ],
  'a field that fails comes beside the data': [
    () => collect(client(), { query: '{ product { sku } viewer { authenticated } }' }),
    [{ codes: ['BAD_USER_INPUT'] }, 'complete'],
  ],
  'after an error the socket goes on': [
    async () => {
      const answers = await talk([INIT, subscribe('1', '{'), subscribe('2', '}'), subscribe('1', QUERY)]);
      return errorsOf(answers);
    },
    [
      ['error', '1', ['BAD_USER_INPUT']],
      ['error', '2', ['BAD_USER_INPUT']],
      ['next', '1', null],
      ['complete', '1', null],
      'open',
    ],
  ],
  'frames are text': [async () => (await talk([INIT, subscribe('1', QUERY)])).heard.includes('binary'), false],
  'an id that is in use closes with 4409': [
    async () => (await talk([INIT, subscribe('1', SHELF), subscribe('1', SHELF)])).ended,
    4409,
  ],
  'a second connection_init closes with 4429': [async () => types(await talk([INIT, INIT])), ['connection_ack', 4429]],
  'no connection_init closes with 4408': [async () => (await talk([], { patience: 15000 })).ended, 4408],
  'an operation before connection_init closes with 4401': [async () => (await talk([subscribe('1', QUERY)])).ended, 4401],
  'a token of nobody closes with 4403': [
    () => collect(client({ connectionParams: { Authorization: 'Bearer gqls_nobody' } }), { query: QUERY }),
    [{ closed: 4403 }],
  ],
  'a ping is answered with a pong, before and after connection_init': [
    async () => types(await talk([{ type: 'ping' }, INIT, { type: 'ping', payload: { a: 1 } }, { type: 'pong' }])),
    ['pong', 'connection_ack', 'pong', 'open'],
  ],
  'the client pings and hears': [
    async () => {
      let pongs = 0;
      const one = client({ lazy: false, keepAlive: 100, on: { pong: (received) => (pongs += received ? 1 : 0) } });
      await sleep(700);
      await one.dispose();
      return pongs >= 2;
    },
    true,
  ],
  'frames that are no objects close with 4400': [
    async () => {
      const frames = ['[]', '1', '"x"', 'null', 'true', '{', '', '[{"type":"ping"}]', '['.repeat(5000)];
      return Promise.all(frames.map(async (frame) => (await talk([frame])).ended));
    },
    Array(9).fill(4400),
  ],
  'messages that are not of the protocol close with 4400': [
    async () => {
      const frames = [
        {}, { type: 1 }, { type: 'nonsense' }, { type: 'subscribe' }, { id: '1', type: 'subscribe' },
        { id: '1', type: 'subscribe', payload: 'x' }, { id: '1', type: 'subscribe', payload: [] },
        { id: '1', type: 'subscribe', payload: {} }, { id: 1, type: 'subscribe', payload: { query: QUERY } },
        { id: '', type: 'subscribe', payload: { query: QUERY } }, subscribe('1', 5), subscribe('1', QUERY, { variables: [] }),
        subscribe('1', QUERY, { variables: 'x' }), subscribe('1', QUERY, { operationName: 1 }), { type: 'complete' },
        { type: 'ping', payload: 'x' }, Buffer.from('{}'),
      ];
      return Promise.all(frames.map(async (frame) => (await talk([INIT, frame])).ended));
    },
    Array(17).fill(4400),
  ],
  'a connection_init whose payload is no object closes with 4400': [
    async () => Promise.all(['x', 1, []].map(async (payload) => (await talk([{ ...INIT, payload }])).ended)),
    [4400, 4400, 4400],
  ],
  'without the protocol there is nothing to say': [async () => (await talk([], { protocols: [] })).ended, 4406],
  'complete of what is not there is nothing': [
    async () => types(await talk([INIT, { id: '9', type: 'complete' }, { type: 'ping' }])),
    ['connection_ack', 'pong', 'open'],
  ],
  'an id can be used again once it is done': [
    async () => errorsOf(await talk([INIT, subscribe('1', QUERY), subscribe('1', QUERY)])).map((one) => one[0]),
    ['next', 'complete', 'next', 'complete', 'o'],
  ],
  'a connection has so many operations at once': [
    async () => {
      const frames = [INIT, ...Array.from({ length: 101 }, (_, id) => subscribe(`${id}`, SHELF))];
      const { heard } = await talk(frames, { patience: 300 });
      return heard.filter((one) => one.type === 'error').map((one) => [one.id, codes(one.payload)]);
    },
    [['100', ['TOO_MANY_REQUESTS']]],
  ],
  'a message that is too long ends the connection': [
    async () => (await talk([INIT, subscribe('1', QUERY, { variables: { a: 'x'.repeat(1_100_000) } })])).ended,
    1009,
  ],
  'a page of another site is not let in': [
    async () => (await talk([INIT], { headers: { Origin: 'https://evil.example' } })).ended,
    'HTTP 403',
  ],
  'a page of the same site is': [
    async () => types(await talk([INIT], { headers: { Origin: new URL(url).origin } })),
    ['connection_ack', 'open'],
  ],
  'the client connects again after it was cut off': [
    async () => {
      let socket;
      let connections = 0;
      const one = client({
        lazy: false,
        retryAttempts: 5,
        retryWait: () => sleep(50),
        on: { connected: (opened) => ((socket = opened), (connections += 1)) },
      });
      while (!socket) await sleep(20);
      const heard = collect(one, { query: SHELF }, 2);
      await sleep(500);
      socket.terminate();
      const told = await heard;
      return [told.length, connections];
    },
    [3, 2],
  ],
};

const results = await Promise.all(
  Object.entries(CASES).map(async ([name, [run, wanted]]) => {
    const got = await Promise.race([run().catch((error) => `failed: ${error}`), sleep(30000).then(() => 'nothing')]);
    return { name, got, wanted };
  }),
);
for (const result of results) console.log(JSON.stringify(result));
process.exit(0);
