"""The demo's welcome text: URLs and queries to try."""

from collections.abc import Sequence

# Each runs unchanged with the demo's token.
TO_TRY: Sequence[tuple[str, str]] = (
    (
        "What can be sold? This query is public:",
        """\
{
  products(filter: { category: "tableware" }, first: 5) {
    nodes { sku name images { url } availability { status salableQuantity onlyLeft message } }
  }
}""",
    ),
    (
        "Place an order. The demo allows it without a token:",
        """\
mutation {
  placeOrder(input: { lines: [{ sku: "MUG-BLUE", quantity: 2 }, { sku: "LINEN", quantity: 1.25 }] }) {
    order { number status lines { sku quantity backordered message } }
    userErrors { code message }
  }
}""",
    ),
    (
        "When does it ship? The kettle is sold before delivery, up to the announced quantity:",
        """\
{
  product(sku: "KETTLE") { name availability { orderable message expectedAt incoming { at quantity } } }
}""",
    ),
    (
        "Why this number? This and the following queries need the token:",
        """\
{
  explainAvailability(sku: "HAMMOCK") {
    availability { status salableQuantity message }
    terms { text quantity }
  }
}""",
    ),
    (
        "Who changed what, and why?",
        """\
{
  stockMovements(first: 10) { nodes { createdAt level { item { sku } } kind quantity onHandAfter reason actor } }
}""",
    ),
    (
        "What is running low, and what is on its way?",
        """\
{
  lowInventoryAlerts(filter: { state: RAISED }, first: 5) { totalCount nodes { sku quantityLeft threshold raisedAt } }
  inventoryItems(sort: AVAILABLE, first: 5) { nodes { sku inventoryTotals { available incoming } } }
}""",
    ),
    (
        "Where does a setting come from?",
        """\
{
  product(sku: "LINEN") { settingOrigins { setting value scope owner } }
}""",
    ),
    (
        "Watch live changes (GraphiQL shows each one as it happens):",
        """\
subscription {
  inventoryChanges { changedAt level { item { sku } warehouse { code } available } movement { kind quantity } }
}""",
    ),
)


def text(site: str, token: str) -> str:
    """The welcome text for the terminal."""
    queries = "\n".join(f"{what}\n\n{_indented(query)}\n" for what, query in TO_TRY)
    return f"""
The demo shop is open. Have a look:

  {site}/storefront/  a shop page with live availability
  {site}/graphql      GraphiQL, to run any query
  {site}/#token={token}  the stockroom, to work with the stock
  {site}/wall#token={token}  the wall display

Simulated shoppers buy, deliveries arrive, shelves are counted. Stop it with Ctrl-C; this deletes its database.

Admin token:  {token}
GraphiQL header:  {{ "Authorization": "Bearer {token}" }}

{queries}
From a terminal:

  curl {site}/graphql -H 'content-type: application/json' \\
    -d '{{ "query": "{{ products(first: 3) {{ nodes {{ sku name }} }} }}" }}'
"""


def _indented(query: str) -> str:
    return "\n".join(f"  {line}" for line in query.splitlines())
