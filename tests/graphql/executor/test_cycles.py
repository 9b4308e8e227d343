"""A document that was executed breadth first has no reference cycles: it is freed as soon as it is dropped."""

import asyncio
import gc
import weakref

from gqlstock.graphql.schema.root import build
from gqlstock.rules.cache_keys import EVERYTHING
from gqlstock.stock.cache import Cache
from support.graphql_client import Client


async def test_a_document_that_was_executed_has_no_reference_cycle(client: Client, kept: Cache) -> None:
    queries = [
        "{ viewer { authenticated } products { totalCount nodes { sku availability { sku } } } }",
        """query ($it: Boolean = true) {
            categories { nodes { slug products { nodes { sku } } } } viewer @skip(if: $it) { authenticated } }""",
        '{ node(id: "nobody") { id ... on Product { sku } } }',
        '{ order(number: "1") { number } inventoryItems(filter: { availableBelow: 2 }) { totalCount } }',
        "{ products(first: -1) { totalCount } }",
    ]
    for query in queries:
        await client.ask(query)
    build().documents.documents.clear()
    kept.drop({EVERYTHING})

    gc.collect()
    gc.disable()
    try:
        for query in queries:
            await client.ask(query)
        gone = [weakref.ref(document.node.definitions[0]) for document in build().documents.documents.values()]
        assert len(gone) == len(queries)
        build().documents.documents.clear()
        # What was given up over an error comes to its end.
        await asyncio.sleep(0.05)
        assert [one for one in gone if one() is not None] == []
    finally:
        gc.enable()
