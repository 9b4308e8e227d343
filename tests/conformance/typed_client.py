"""Tests the server with gql, and with a typed client that ariadne-codegen generates from the schema."""

import asyncio
import importlib
import subprocess
import sys
import tempfile
from pathlib import Path

from gql import Client, gql
from gql.transport.aiohttp import AIOHTTPTransport
from gql.transport.exceptions import TransportQueryError
from gql.transport.websockets import WebsocketsTransport

URL, TOKEN, SCHEMA = sys.argv[1:]
HEADERS = {"Authorization": f"Bearer {TOKEN}"}
QUERIES = """
query Shelf($sku: String!) { product(sku: $sku) { sku tracking availability { orderable salableQuantity } } }
query Scan($sku: String!) { inventoryItem(sku: $sku) { __typename id name } }
mutation Order($input: PlaceOrderInput!) { placeOrder(input: $input) { order { number } userErrors { __typename code } } }
subscription News($skus: [String!]!) { availabilityChanges(skus: $skus) { sku orderable } }
"""
SHELF = 'subscription { availabilityChanges(skus: ["MUG"]) { sku } }'


async def check_gql() -> None:
    async with Client(transport=AIOHTTPTransport(URL, headers=HEADERS), fetch_schema_from_transport=True) as session:
        result = await session.execute(gql('query { product(sku: "MUG") { sku } }'))
        assert result == {"product": {"sku": "MUG"}}, result
        order = "mutation($input: PlaceOrderInput!) { placeOrder(input: $input) { userErrors { code } } }"
        request = gql(order)
        request.variable_values = {"input": {"lines": [{"sku": "MUG", "quantity": 1}]}}
        assert await session.execute(request) == {"placeOrder": {"userErrors": []}}
        try:
            await session.execute(gql("query { product { sku } viewer { authenticated } }"))
        except TransportQueryError as error:
            assert error.errors[0]["extensions"]["code"] == "BAD_USER_INPUT"
        else:
            raise AssertionError("gql did not raise the error")
    socket = WebsocketsTransport(URL.replace("http", "ws"), init_payload=HEADERS)
    async with Client(transport=socket) as session:
        async for change in session.subscribe(gql(SHELF)):
            assert change == {"availabilityChanges": {"sku": "MUG"}}
            break


async def check_generated_client() -> None:
    with tempfile.TemporaryDirectory() as directory:
        Path(directory, "queries.graphql").write_text(QUERIES)
        Path(directory, "pyproject.toml").write_text(
            f'[tool.ariadne-codegen]\nschema_path = "{SCHEMA}"\nqueries_path = "queries.graphql"\n'
            '[tool.ariadne-codegen.scalars.Quantity]\ntype = "float"\n'
        )
        command = [str(Path(sys.executable).with_name("ariadne-codegen"))]
        subprocess.run(command, cwd=directory, check=True, stdout=subprocess.DEVNULL)
        sys.path.insert(0, directory)
        client = importlib.import_module("graphql_client").Client(url=URL, headers=HEADERS)
        page = await client.shelf(sku="MUG")
        assert (page.product.sku, page.product.tracking.value) == ("MUG", "TRACK_WITHOUT_OPTIONS"), page
        found = await client.scan(sku="MUG")
        assert (found.inventory_item.typename__, found.inventory_item.name) == ("Product", "Mug"), found


asyncio.run(check_gql())
asyncio.run(check_generated_client())
print("gql and the generated client passed")
