"""The overview in a real browser, on a real server: what needs attention, and that it follows what happens."""

from datetime import timedelta
from decimal import Decimal

from gqlstock.rules.scopes import SYSTEM
from gqlstock.rules.settings import BackorderMode
from gqlstock.services import receive
from gqlstock.services.receive import AnnounceStockRequest
from gqlstock.services.stock_edits import StockLine
from gqlstock.store.db import clock
from support import shop_builders as make
from support.browsed_shop import Shop
from support.browser import Browser, barriers, needs_chromium

pytestmark = needs_chromium


# The cursor of the last open alert.
LAST_ALERT = """fetch('graphql', {
    method: 'POST',
    headers: {
        'Content-Type': 'application/json',
        Authorization: `Bearer ${sessionStorage.getItem('gqlstock.token')}`,
    },
    body: JSON.stringify({ query: '{ lowInventoryAlerts(filter: { state: RAISED }) { pageInfo { endCursor } } }' }),
}).then(async (answer) => (await answer.json()).data.lowInventoryAlerts.pageInfo.endCursor)"""


def tiles(browser: Browser) -> dict[str, list[str]]:
    texts: list[str] = browser("texts", ".tile")
    return {label: told for label, *told in (text.split("\n") for text in texts)}


async def test_a_quiet_shop_looks_finished_and_a_busy_one_tells_what_to_do(
    browser: Browser, shop: Shop, db: None
) -> None:
    browser("open", shop.url("", await make.token(name="anna")))
    browser("emulate", {"reducedMotion": "reduce"})
    browser("shows", ".alerts", "No alert is open.")
    browser("gone", ".tile-figure:text-is('…')")

    assert browser("evaluate", "document.title") == "Overview · gqlstock"
    assert tiles(browser) == {
        "Orders to ship": ["0", "orders"],
        "Out of stock": ["0", "items"],
        "Low": ["0", "items"],
        "On backorder": ["0", "units"],
        "Arriving in 7 days": ["0", "units"],
        "Overdue": ["0", "units"],
        "Today": ["0", "orders"],
        "In 7 days": ["0", "orders"],
        "In 30 days": ["0", "orders"],
    }
    assert barriers(browser) == {}

    # Its stock is that of its combinations: neither counts twice.
    await make.product("SHIRT", options={"Size": ["S", "M"]})
    await make.product("MUG")
    await make.product("JUG")
    await make.setting(product="MUG", backorders=BackorderMode.ALLOW)
    for sku, on_hand in {"MUG": 2, "JUG": 30}.items():
        await make.stock(sku, "BERLIN", on_hand)
    await make.order("MUG", 5)
    await make.order("JUG", 25)
    soon, late = clock.now() + timedelta(days=2), clock.now() - timedelta(days=1)
    for quantity, at in ((8, soon), (4, soon), (7, late)):
        await receive.announce(SYSTEM, AnnounceStockRequest("BERLIN", (StockLine("MUG", Decimal(quantity)),), at))
    browser("open", shop.url("", await make.token(name="bert")))
    browser("emulate", {"reducedMotion": "reduce"})
    browser("shows", ".alerts", "2 open")
    browser("gone", ".tile-figure:text-is('…')")

    assert tiles(browser) == {
        "Orders to ship": ["2", "orders"],
        "Out of stock": ["4", "items"],
        "Low": ["2", "items"],
        "On backorder": ["3", "units, 1 item"],
        "Arriving in 7 days": ["12", "units, 2 deliveries"],
        "Overdue": ["7", "units, 1 delivery"],
        "Today": ["2", "orders"],
        "In 7 days": ["2", "orders"],
        "In 30 days": ["2", "orders"],
    }
    assert barriers(browser) == {}

    browser("size", 1280, 900)
    await make.stock("JUG", "BERLIN", 8)
    browser("shows", ".alerts tr:has(.sku:text-is('JUG')) .now", "8")
    assert browser("texts", ".alerts tr:has(.sku:text-is('JUG')) .then") == ["5"]

    browser("click", "button[aria-label='Acknowledge the alert for Jug']")
    browser("shows", ".alerts tr:has(.sku:text-is('JUG')) .state", "Acknowledged by bert")
    browser("gone", "button[aria-label='Acknowledge the alert for Jug']")

    browser("click", ".tile:has-text('Low')")
    browser("shows", ".list", "Jug")
    assert browser("url") == shop.url("stock?show=low")

    browser("click", ".nav a:has-text('Overview')")
    browser("click", ".tile:has-text('Arriving')")
    browser("shows", ".card-head", "2 announcements, earliest first")
    browser("shows", ".chip", "Expected from today to ")
    browser("click", ".chip:has-text('Expected')")
    browser("shows", ".card-head", "3 announcements, earliest first")
    assert browser("url") == shop.url("incoming")

    browser("click", ".nav a:has-text('Overview')")
    browser("click", ".tile:has-text('Today')")
    browser("shows", ".card-head", "2 orders, newest first")
    browser("shows", ".chip", "Placed from today")
    browser("click", ".chip:has-text('Waiting for stock')")
    browser("shows", ".sentence", "No such order was placed in this period.")

    # A page of alerts that are resolved, and a cursor that was cut off.
    last = browser("evaluate", LAST_ALERT)
    for cursor in (last, last[:-4]):
        browser("evaluate", f"history.replaceState(null, '', './?after={cursor}&page=2'), location.reload()")
        browser("shows", ".alerts .list", "Jug")
        assert browser("url") == shop.url("")
    assert browser("complaints") == []


async def test_who_may_not_see_orders_is_not_shown_any(browser: Browser, shop: Shop, db: None) -> None:
    browser("open", shop.url("", await make.token("inventory:read", name="looks")))

    browser("shows", ".tile", "Overdue")
    assert set(tiles(browser)) == {"Out of stock", "Low", "On backorder", "Arriving in 7 days", "Overdue"}
    assert browser("texts", ".alerts button") == []
