"""The wall display in a real browser, on a real server: what the people in a shop see, do, and are not kept from."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from gqlstock.rules.scopes import SYSTEM
from gqlstock.rules.settings import BackorderMode
from gqlstock.services import receive, tokens
from gqlstock.services.receive import AnnounceStockRequest
from gqlstock.services.stock_edits import StockLine
from gqlstock.store import outbox
from gqlstock.store.alerts import LowInventoryAlert
from gqlstock.store.db import clock
from support import server_processes
from support import shop_builders as make
from support.browsed_shop import Shop
from support.browser import Browser, barriers, needs_chromium

pytestmark = needs_chromium

ORDER = """mutation ($lines: [OrderLineInput!]!) {
    placeOrder(input: { lines: $lines }) { order { number } userErrors { message } }
}"""


async def stocked(sku: str, berlin: int = 12, name: str | None = None) -> None:
    await make.product(sku, name=name)
    await make.stock(sku, "BERLIN", berlin)
    await make.stock(sku, "LYON", 0)


def page(of: Shop, token: str | None = None) -> str:
    return of.url("wall") + (f"#token={token}" if token else "")


async def order(of: Shop, sku: str, quantity: int) -> None:
    """An order as shoppers place it: through the server."""
    async with server_processes.client(await make.token("orders:write", name=f"shopper for {quantity} {sku}")) as http:
        placed = await server_processes.ask(http, of.server, ORDER, lines=[{"sku": sku, "quantity": quantity}])
    assert placed["placeOrder"]["userErrors"] == []


def level(sku: str, warehouse: str = "Berlin") -> str:
    return f"#levels-rows .level:has-text('{sku}'):has-text('{warehouse}')"


async def test_an_order_lowers_the_level_and_its_alert_is_acknowledged(browser: Browser, shop: Shop, db: None) -> None:
    await stocked("MUG")
    browser("open", page(shop, await make.token(name="anna")))
    browser("shows", f"{level('MUG')} .available", "12")
    browser("shows", "#orders-words", "in the last 30 minutes")
    before = int(browser("text", "#orders-sum"))
    assert browser("url") == page(shop)

    await order(shop, "MUG", 3)

    browser("shows", f"{level('MUG')} .available", "9")
    browser("shows", level("MUG"), "Low")
    browser("shows", level("MUG", "Lyon"), "Out")
    browser("shows", ".alert:has-text('Mug')", "9 left in all warehouses")
    browser("shows", "#orders-sum", str(before + 1))
    assert browser("text", "#alerts-announcement") == "Mug is low: 9 left."
    assert re.fullmatch(r"\(\d+\) Stock · gqlstock", browser("evaluate", "document.title"))

    browser("click", "button[aria-label='Acknowledge the alert for Mug']")

    browser("shows", ".alert:has-text('Mug')", "Acknowledged by anna")
    (alert,) = await LowInventoryAlert.filter(sku="MUG")
    assert (alert.acknowledged_by, alert.acknowledged_at is not None) == ("anna", True)
    assert browser("evaluate", "document.activeElement.id") == "alerts-title"
    assert browser("complaints") == []


async def test_after_a_restart_the_page_goes_on_by_itself_and_shows_what_was_missed(
    browser: Browser, shop: Shop, db: None
) -> None:
    await stocked("JUG")
    browser("open", page(shop, await make.token(name="bert")))
    browser("shows", f"{level('JUG')} .available", "12")
    browser("shows", "#status", "Live")

    async with shop.away():
        browser("shows", "#status", "Reconnecting…")
        await make.stock("JUG", "BERLIN", 7)

    browser("shows", "#status", "Live")
    browser("shows", f"{level('JUG')} .available", "7")
    browser("shows", ".alert:has-text('Jug')", "7 left in all warehouses")

    await order(shop, "JUG", 1)

    browser("shows", f"{level('JUG')} .available", "6")
    assert browser("complaints") == []


async def test_where_news_is_kept_no_longer_the_page_is_read_anew(browser: Browser, shop: Shop, db: None) -> None:
    await stocked("TRAY")
    browser("open", page(shop, await make.token(name="hugo")))
    browser("shows", f"{level('TRAY')} .available", "12")

    async with shop.away():
        await make.stock("TRAY", "BERLIN", 40)
        await outbox.sweep(clock.now() + timedelta(hours=1))

    browser("shows", f"{level('TRAY')} .available", "40")

    await make.stock("TRAY", "BERLIN", 39)

    browser("shows", f"{level('TRAY')} .available", "39")
    assert browser("complaints") == []


async def test_windows_of_one_browser_leave_each_other_connections(browser: Browser, shop: Shop, db: None) -> None:
    await stocked("VASE")
    address = page(shop, await make.token(name="carl"))
    browser("open", address)
    browser("shows", f"{level('VASE')} .available", "12")
    for _ in range(2):
        browser("window", address)
        browser("shows", f"{level('VASE')} .available", "12")
        browser("shows", "#status", "Live")

    await order(shop, "VASE", 4)

    browser("shows", f"{level('VASE')} .available", "8")
    browser("shows", ".alert:has-text('Vase')", "8 left in all warehouses")


async def test_a_token_that_is_wrong_or_revoked_leads_back_to_the_form(browser: Browser, shop: Shop, db: None) -> None:
    first = await make.token("inventory:read", name="first")
    second = await make.token("inventory:read", name="second")
    browser("open", page(shop))

    browser("fill", "#entrance-token", "gqls_nobody")
    browser("press", "Enter")

    browser("shows", "#entrance-why", "The token was refused: it is wrong, was revoked or has expired.")

    browser("fill", "#entrance-token", first)
    browser("press", "Enter")
    browser("shows", "#status", "Live")
    browser("click", "#sign-out")

    browser("shows", "#entrance-why", "You are signed out")
    assert browser("evaluate", "sessionStorage.length") == 0
    assert browser("evaluate", "document.querySelectorAll('#levels-rows .level').length") == 0

    browser("fill", "#entrance-token", second)
    browser("press", "Enter")
    browser("shows", "#status", "Live")
    await tokens.revoke("second")

    browser("shows", "#entrance-why", "revoked or has expired")
    assert browser("evaluate", "sessionStorage.length") == 0
    assert browser("complaints") == []


async def test_what_a_token_may_not_do_the_page_says(browser: Browser, shop: Shop, db: None) -> None:
    await stocked("BOWL", 5)
    browser("open", page(shop, await make.token("inventory:read", name="looks")))
    browser("shows", ".alert:has-text('Bowl')", "5 left in all warehouses")

    browser("shows", "#alerts-scope", "requires a token with the scope inventory:write")
    browser("shows", "#orders-scope", "it lacks the scope orders:read")
    assert browser("texts", ".alert:has-text('Bowl') button") == ["Bowl"]
    await order(shop, "BOWL", 2)
    browser("click", ".alert:has-text('Bowl') button")
    browser("shows", "#history-legend", "Berlin: 3 on hand, 3 available")
    assert "Order" not in browser("text", "#history-rows")

    browser("open", page(shop, await make.token("catalog:read", name="reads")))

    browser("shows", "#entrance-why", "it lacks the scope inventory:read")


async def test_what_is_on_its_way_is_shown_soonest_first_and_what_is_overdue_is_marked(
    browser: Browser, shop: Shop, db: None
) -> None:
    await make.product("TRIVET")
    await make.setting(product="TRIVET", backorders=BackorderMode.ALLOW_AND_NOTIFY_CUSTOMER)
    await make.order("TRIVET", 2)
    for expected_at, reference in ((datetime(2099, 12, 3, 9, tzinfo=UTC), "PO-2"), (None, "PO-3")):
        await announce("TRIVET", expected_at, reference)
    await announce("TRIVET", clock.now() + timedelta(seconds=1), "PO-1")

    browser("open", page(shop, await make.token(name="ines")), {"timezoneId": "UTC"})

    browser("shows", "#on-its-way-count", "3 announcements, 1 overdue")
    rows = browser("texts", "#on-its-way tbody tr")
    assert [row.split()[:3] + row.split()[-2:] for row in rows] == [
        ["Trivet", reference, "Berlin", "12", "2"] for reference in ("PO-1", "PO-2", "PO-3")
    ]
    assert "Overdue since " in rows[0]
    assert "3 Dec 2099, 09:00" in rows[1]
    assert "No date" in rows[2]
    browser("click", "#on-its-way tbody tr:nth-child(1) button")
    browser("shows", "#history-title", "Trivet")
    assert browser("complaints") == []


async def announce(sku: str, expected_at: datetime | None, reference: str) -> None:
    """12 of an item are on their way to BERLIN."""
    lines = (StockLine(sku, Decimal(12)),)
    await receive.announce(SYSTEM, AnnounceStockRequest("BERLIN", lines, expected_at, reference))


async def test_the_keyboard_alone_opens_the_plot_and_closes_it(browser: Browser, shop: Shop, db: None) -> None:
    await stocked("APRON")
    browser("open", page(shop, await make.token(name="dora")))
    browser("shows", f"{level('APRON')} .available", "12")

    browser("press", "Tab")
    browser("press", "Enter")  # the link that skips what comes before the levels
    for _ in range(4):  # search, warehouse, order, and the first item
        browser("press", "Tab")
    browser("press", "Enter")

    browser("shows", "#history-title", "Apron")
    browser("shows", "#history-rows", "+12")
    browser("shows", "#history-legend", "Berlin: 12 on hand, 12 available")
    assert "Now: Berlin 12, Lyon 0." in browser("evaluate", "document.querySelector('svg.plot').ariaLabel")

    await order(shop, "APRON", 2)

    browser("shows", "#history-rows", "Order 1000")
    browser("shows", "#history-legend", "Berlin: 10 on hand, 10 available")

    browser("press", "Escape")

    browser("gone", "#history")
    assert browser("evaluate", "document.activeElement.textContent") == "Apron"
    assert browser("complaints") == []


async def test_markup_in_names_is_text_on_the_page(browser: Browser, shop: Shop, db: None) -> None:
    name = "<img src=x onerror='document.title=1'><script>document.title=2</script>"
    await stocked("ODD", 3, name=name)

    browser("open", page(shop, await make.token(name="emil")))

    browser("shows", ".alert", name)
    browser("shows", "#levels-rows", name)
    browser("click", ".alert button.item:has-text('onerror')")
    browser("shows", "#history-title", name)
    assert browser("evaluate", "document.querySelectorAll('main img, main script, dialog img').length") == 0
    assert "Stock · gqlstock" in browser("evaluate", "document.title")
    assert browser("complaints") == []


async def test_many_levels_are_shown_page_by_page_and_found_by_name(browser: Browser, shop: Shop, db: None) -> None:
    await stocked("SIEVE")
    for number in range(30):
        await make.product(f"POT-{number:02}", name=f"Pot {number:02}")
        await make.stock(f"POT-{number:02}", "BERLIN", number)
    browser("open", page(shop, await make.token(name="fred")))
    browser("shows", "#status", "Live")

    browser("fill", "#levels-search", "pot ")

    browser("shows", "#levels-count", "30 levels")
    browser("shows", "#levels-page", "Page 1 of 2")
    assert len(browser("texts", "#levels-rows .level")) == 25

    browser("click", "#levels-next")

    browser("shows", "#levels-page", "Page 2 of 2")
    browser("shows", "#levels-rows", "Pot 29")
    assert len(browser("texts", "#levels-rows .level")) == 5

    browser("fill", "#levels-search", "pot 17")

    browser("shows", "#levels-count", "1 level")
    assert browser("text", "#levels-rows .available") == "17"

    browser("fill", "#levels-search", "kettle")

    browser("shows", "#levels-said", "No item matches by name, SKU, code or barcode.")
    assert browser("complaints") == []


async def test_nothing_stands_in_the_way_of_people(browser: Browser, shop: Shop, db: None) -> None:
    await stocked("CARAFE")
    await order(shop, "CARAFE", 3)
    browser("open", page(shop))
    found = {"form": barriers(browser)}
    browser("open", page(shop, await make.token(name="gina")))
    browser("shows", ".alert:has-text('Carafe')", "9 left in all warehouses")
    browser("shows", "#running-out", "Lasts")
    browser("shows", f"{level('CARAFE')} .available", "9")
    browser("shows", level("CARAFE"), "Low")

    found["wall"] = barriers(browser)
    browser("click", f"{level('CARAFE')} button")
    browser("shows", "#history-rows", "+12")
    found["history"] = barriers(browser)

    assert found == {"form": {}, "wall": {}, "history": {}}
