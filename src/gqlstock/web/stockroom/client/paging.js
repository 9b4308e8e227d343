// Reads a whole list, page by page.

const SIZE = 250;

/**
 * Yields all nodes of the only field of a query, which has the variables `$first` and `$after` and asks for `pageInfo`.
 * Lists that change meanwhile are read by key: nothing comes twice.
 */
export async function* nodes(server, text, variables = {}, signal = server.signal) {
  for await (const page of pages(server, text, variables, signal)) yield* page;
}

/** As `nodes`, but yields arrays of up to 250 nodes. */
export async function* pages(server, text, variables = {}, signal = server.signal) {
  let after = null;
  do {
    const [list] = Object.values(await server.ask(text, { ...variables, first: SIZE, after }, signal));
    yield list.nodes;
    after = list.pageInfo.hasNextPage ? list.pageInfo.endCursor : null;
  } while (after);
}
