import { createClient } from 'graphql-ws';
import {
  Environment,
  Network,
  Observable,
  RecordSource,
  Store,
  type FetchFunction,
  type GraphQLResponse,
  type SubscribeFunction,
} from 'relay-runtime';

export function environment(url: string, token?: string) {
  const headers: Record<string, string> = token ? { Authorization: `Bearer ${token}` } : {};
  const socket = createClient({ url: url.replace(/^http/, 'ws'), connectionParams: headers });

  const ask: FetchFunction = async ({ text }, variables) => {
    const answer = await fetch(url, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
      body: JSON.stringify({ query: text, variables }),
    });
    return (await answer.json()) as GraphQLResponse;
  };

  const follow: SubscribeFunction = ({ text }, variables) =>
    Observable.create((sink) =>
      socket.subscribe(
        { query: text ?? '', variables },
        {
          next: (result) => sink.next(result as GraphQLResponse),
          error: (problem) => sink.error(problem as Error),
          complete: () => sink.complete(),
        },
      ),
    );

  return new Environment({ network: Network.create(ask, follow), store: new Store(new RecordSource()) });
}
