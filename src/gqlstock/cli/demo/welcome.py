"""What the demo says when it is open: what to look at, and what to ask."""

from collections.abc import Sequence

# Each runs as it stands, with the demo's token.
TO_TRY: Sequence[tuple[str, str]] = (
    (
        "What can be sold? Anybody may ask:",
        """\
{
  products(filter: { category: "tableware" }, first: 5) {
    nodes { sku name images { url } availability { status salableQuantity onlyLeft message } }
  }
}""",
    ),
    (
        "Take an order; the demo lets anybody:",
        """\
mutation {
  placeOrder(input: { lines: [{ sku: "MUG-BLUE", quantity: 2 }, { sku: "LINEN", quantity: 1.25 }] }) {
    order { number status lines { sku quantity backordered message } }
    userErrors { code message }
  }
}""",
    ),
    (
        "When does it leave? The kettle is sold before it is there, as far as is announced:",
        """\
{
  product(sku: "KETTLE") { name availability { orderable message expectedAt incoming { at quantity } } }
}""",
    ),
    (
        "Why is the number what it is? With the token, as all that follows:",
        """\
{
  explainAvailability(sku: "HAMMOCK") {
    availability { status salableQuantity message }
    terms { text quantity }
  }
}""",
    ),
    (
        "Who moved what, and why?",
        """\
{
  stockMovements(first: 10) { nodes { createdAt level { item { sku } } kind quantity onHandAfter reason actor } }
}""",
    ),
    (
        "What runs low, and what is on its way?",
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
        "Watch it happen (GraphiQL shows each change as it comes):",
        """\
subscription {
  inventoryChanges { changedAt level { item { sku } warehouse { code } available } movement { kind quantity } }
}""",
    ),
)


def text(site: str, token: str) -> str:
    """For the person at the terminal."""
    queries = "\n".join(f"{what}\n\n{_indented(query)}\n" for what, query in TO_TRY)
    return f"""
The demo shop is open. Have a look:

  {site}/storefront/  a page of the shop, which follows what is there
  {site}/graphql      GraphiQL, to ask whatever you like
  {site}/#token={token}  the dashboard

Shoppers are buying, lorries are on their way, shelves are counted. Stop it with Ctrl-C; its database is thrown away then.

A token that may do everything:  {token}
In GraphiQL it is a header:  {{ "Authorization": "Bearer {token}" }}

{queries}
From a terminal:

  curl {site}/graphql -H 'content-type: application/json' \\
    -d '{{ "query": "{{ products(first: 3) {{ nodes {{ sku name }} }} }}" }}'
"""


def _indented(query: str) -> str:
    return "\n".join(f"  {line}" for line in query.splitlines())
