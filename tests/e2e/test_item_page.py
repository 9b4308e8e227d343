"""The item page in a real browser, on a real server: what is there, why, and what changes it."""

import asyncio
from datetime import UTC, datetime
from decimal import Decimal

from gqlstock.rules.given_ids import GivenId
from gqlstock.rules.scopes import SYSTEM
from gqlstock.rules.settings import BackorderMode
from gqlstock.services import catalog, receive, update_announcement
from gqlstock.services.receive import AnnounceStockRequest
from gqlstock.services.stock_edits import StockLine
from gqlstock.store.db import sql
from support import shop_builders as make
from support.browsed_shop import Shop
from support.browser import Browser, barriers, needs_chromium

pytestmark = needs_chromium


def entries(browser: Browser) -> list[list[str]]:
    """What, change and on hand of each movement on the page."""
    cells = [browser("texts", f".ledger tbody .{name}") for name in ("what", "change", "after")]
    return [list(row) for row in zip(*cells, strict=True)]


async def announce(sku: str, reference: str) -> None:
    await receive.announce(SYSTEM, AnnounceStockRequest("BERLIN", (StockLine(sku, Decimal(8)),), None, reference))


def focused(browser: Browser) -> str:
    """The text of what has the focus."""
    text: str = browser("evaluate", "document.activeElement.textContent")
    return text


# As if the page had been open for so many days. The server's clock, which it corrects its own by, is hidden.
DAYS_LATER = """
    const get = Headers.prototype.get;
    Headers.prototype.get = function (name) { return name === 'date' ? null : get.call(this, name); };
    const now = Date.now;
    Date.now = () => now() + %d * 86_400_000;
"""


async def test_the_page_tells_what_is_there_and_follows_it(browser: Browser, shop: Shop, db: None) -> None:
    await make.product("MUG")
    await make.stock("MUG", "BERLIN", 12)
    await make.stock("MUG", "LYON", 30)
    browser("open", shop.url("stock?q=mug", await make.token(name="anna")))
    browser("click", ".list a.name:text-is('Mug')")

    browser("says", "#item-title", "Mug")
    assert focused(browser) == "Mug"
    browser("shows", ".item-head .mark", "In stock")
    # The parts are read one by one.
    browser("shows", ".ledger", "2 movements")
    browser("shows", ".legend", "Alert below 10 available")
    browser("shows", ".reason .sum", "can be ordered now.")
    browser("shows", ".entries", "Nobody waits for it.")
    assert browser("url") == shop.url("item?sku=MUG")
    assert browser("evaluate", "document.title") == "Mug · gqlstock"
    assert [one.split("\n") for one in browser("texts", ".figures > :not([hidden])")] == [
        ["On hand", "42"],
        ["Available", "42"],
        ["On backorder", "0"],
        ["Incoming", "0"],
    ]
    assert sorted(entries(browser)) == [["Count", "+12", "12"], ["Count", "+30", "30"]]
    assert browser("texts", ".legend li") == [
        "All warehouses: 42 on hand",
        "Berlin: 12 on hand",
        "Lyon: 30 on hand",
        "Alert below 10 available",
    ]
    assert browser("texts", ".reason tr") == [
        "+12\t12 on hand in Berlin.",
        "+30\t30 on hand in Lyon.",
        "42\tcan be ordered now.",
    ]
    assert browser("texts", ".entries li") == ["Nothing is on its way.", "Nobody waits for it."]

    await make.stock("MUG", "BERLIN", 3)
    await make.stock("MUG", "LYON", 4)

    browser("shows", ".item-head .mark", "Low")
    browser("shows", ".ledger", "4 movements")
    browser("shows", ".legend", "All warehouses: 7 on hand")
    browser("shows", ".reason .sum", "7")
    assert entries(browser)[:2] == [["Count", "−26", "4"], ["Count", "−9", "3"]]

    browser("click", ".history-card .chip:text-is('30 days')")
    browser("shows", ".history-card .chip[aria-current]", "30 days")
    assert browser("url") == shop.url("item?sku=MUG&range=month")
    assert focused(browser) == "30 days"
    browser("shows", ".history-card", "4 movements")

    browser("evaluate", DAYS_LATER % 31)
    await make.stock("MUG", "BERLIN", 2)

    browser("shows", ".legend", "All warehouses: 6 on hand")
    browser("shows", ".history-card", "No movement in these 30 days.")
    assert browser("complaints") == []


async def test_what_the_feed_of_an_item_does_not_have_follows_as_well(browser: Browser, shop: Shop, db: None) -> None:
    await make.product("SHIRT", options={"Size": ["S"]})
    await make.stock("SHIRT-S", "BERLIN", 50)
    await make.product("URN")
    await make.stock("URN", "BERLIN", 50)
    await announce("URN", "PO-8")
    [announcement] = await sql.query("SELECT id FROM stock_announcement WHERE reference = ?", "PO-8")
    token = await make.token(name="gina")
    browser("open", shop.url("item?sku=SHIRT", token))
    browser("shows", ".combinations .available", "50")
    browser("shows", ".reason .sum", "50")
    browser("window", shop.url("item?sku=URN", token))
    browser("shows", ".entries", "No date")

    await make.stock("SHIRT-S", "BERLIN", 48)
    date = {"expected_at": datetime(2101, 2, 3, 12, tzinfo=UTC)}
    await update_announcement.update(SYSTEM, GivenId(announcement["id"], "PO-8"), date)

    browser("shows", ".entries", "Expected 3 Feb 2101")
    browser("front", 0)
    browser("shows", ".combinations td.available", "48")
    browser("shows", ".reason .sum", "48")
    assert browser("texts", ".figures > :not([hidden])")[:2] == ["On hand\n48", "Available\n48"]

    browser("click", ".combinations a.name")
    browser("says", "#item-title", "Shirt – S")
    assert focused(browser) == "Shirt – S"
    browser("click", ".item-head a:has-text('All of Shirt')")
    browser("says", "#item-title", "Shirt")
    assert focused(browser) == "Shirt"
    assert browser("complaints") == []


async def test_the_ledger_has_every_movement_page_by_page(browser: Browser, shop: Shop, db: None) -> None:
    await make.product("JUG")
    for quantity in range(1, 26):
        await make.stock("JUG", "BERLIN", quantity)
    browser("open", shop.url("item?sku=JUG", await make.token(name="bert")))
    browser("shows", ".ledger", "25 movements")
    browser("gone", ".ledger .pager")

    for quantity in range(26, 61):
        await make.stock("JUG", "BERLIN", quantity)
    browser("shows", ".ledger", "60 movements")
    browser("shows", ".ledger .pager", "Page 1 of 3")
    assert [after for _, _, after in entries(browser)] == [str(n) for n in range(60, 35, -1)]

    browser("click", ".ledger a.button:text-is('Next')")
    browser("shows", ".ledger .pager", "Page 2 of 3")
    browser("click", ".ledger a.button:text-is('Next')")
    browser("shows", ".ledger .pager", "Page 3 of 3")
    assert [after for _, _, after in entries(browser)] == [str(n) for n in range(10, 0, -1)]

    await make.stock("JUG", "BERLIN", 61)
    browser("shows", ".ledger", "61 movements")
    assert entries(browser)[0][-1] == "10"

    browser("click", ".ledger a.button:text-is('Previous')")
    browser("shows", ".ledger .pager", "Page 2 of 3")
    browser("click", ".ledger a.button:text-is('Previous')")
    browser("shows", ".ledger .pager", "Page 1 of 3")
    assert [after for _, _, after in entries(browser)] == [str(n) for n in range(61, 36, -1)]

    browser("open", shop.url("item?sku=JUG&range=month&after=foreign&page=2", await make.token(name="lisa")))
    browser("shows", ".ledger .pager", "Page 1 of 3")
    assert browser("url") == shop.url("item?sku=JUG&range=month")
    assert browser("complaints") == []


def value_of(browser: Browser, label: str) -> list[str]:
    row: str = browser("text", f".settings tr:has(th:text-is('{label}')) td >> nth=0")
    return row.split("\n")


async def test_a_setting_is_changed_where_it_shows_and_inherited_again(browser: Browser, shop: Shop, db: None) -> None:
    await make.product("TRAY")
    await make.stock("TRAY", "BERLIN", 12)
    browser("open", shop.url("item?sku=TRAY", await make.token(name="carl")))
    browser("shows", ".settings", "Alert below")
    assert value_of(browser, "Alert below") == ["10", "From the whole shop"]
    assert value_of(browser, "Backorders") == ["Not taken"]

    browser("click", "button[aria-label='Change: Alert below']")
    browser("shows", "dialog .preview", "Now 10, from the whole shop.")
    browser("fill", "dialog .quantity input", "20")
    # The answer is older than a change that comes meanwhile.
    browser("hold", "StockroomItem(")
    browser("press", "Enter")

    browser("shows", ".notice", "Alert below for Tray: 20, set for the product TRAY.")
    browser("held")
    await make.stock("TRAY", "BERLIN", 11)
    browser("shows", ".figures", "11")
    browser("release")
    browser("shows", ".legend", "Alert below 20 available")
    assert browser("texts", ".figures > :not([hidden])")[0] == "On hand\n11"
    browser("shows", ".settings", "Set here")
    browser("shows", ".item-head .mark", "Low")
    assert value_of(browser, "Alert below") == ["20", "Set here"]

    browser("click", "button[aria-label='Change: Backorders']")
    browser("choose", "dialog .field:nth-of-type(2) select", "ALLOW")
    browser("click", "dialog .first")
    browser("shows", ".notice", "Backorders for Tray: Taken, set for the product TRAY.")
    browser("shows", ".reason .sum", "Any quantity can be ordered: backorders have no limit.")

    browser("click", "button[aria-label='Change: Alert below']")
    browser("fill", "dialog .quantity input", "")
    browser("press", "Enter")

    browser("shows", ".notice", "Alert below for Tray: 10, from the whole shop.")
    browser("shows", ".legend", "Alert below 10 available")
    assert browser("complaints") == []


async def test_what_comes_and_who_waits_is_there(browser: Browser, shop: Shop, db: None) -> None:
    await make.product("VASE")
    await make.setting(product="VASE", backorders=BackorderMode.ALLOW)
    await make.stock("VASE", "BERLIN", 2)
    await announce("VASE", "PO-7")
    await make.order("VASE", 5)
    browser("open", shop.url("item?sku=VASE", await make.token(name="dora")))

    browser("shows", ".entries a", "Order")
    coming, waiting = browser("texts", ".entries li")
    assert coming.split("\n") == ["8", "for Berlin", "No date", "PO-7"]
    assert waiting.split("\n")[0::2] == ["3", "no stock announced for it"]

    browser("evaluate", "document.querySelector('.entries a').focus()")
    await announce("VASE", "PO-9")
    browser("shows", ".entries", "PO-9")
    await asyncio.sleep(0.5)
    assert focused(browser).startswith("Order ")

    await catalog.update_product("VASE", {"new_sku": "URN-2"})
    browser("open", shop.url("item?sku=URN-2", await make.token(name="ines")))
    browser("shows", ".entries a", "Order")


async def test_an_item_that_is_not_there_is_named(browser: Browser, shop: Shop, db: None) -> None:
    browser("open", shop.url("item?sku=NONE", await make.token(name="emil")))

    browser("says", ".item-page .sentence", "There is no item NONE. It may have been deleted.")

    await make.product("GONE")
    browser("open", shop.url("item?sku=GONE", await make.token(name="karl")))
    # The parts are read one by one.
    browser("shows", ".ledger", "Nothing has been counted")
    browser("shows", ".settings", "Alert below")
    browser("shows", ".reason", "can be ordered")
    browser("shows", ".entries", "Nobody waits for it.")
    await catalog.delete_product("GONE")
    for action in ("Set status…", "Alert below…"):
        browser("click", f".item-head button:text-is('{action}')")
        browser("says", ".notice p", "There is no item GONE. It may have been deleted.")
        browser("click", ".notice [aria-label='Close this notice']")
    assert browser("complaints") == []


async def test_a_button_opens_one_dialog_and_none_on_another_page(browser: Browser, shop: Shop, db: None) -> None:
    await make.product("DISH")
    await make.stock("DISH", "BERLIN", 12)
    browser("open", shop.url("item?sku=DISH", await make.token(name="jane")))
    browser("shows", ".ledger", "1 movement")

    browser("hold", "StockroomItemLevels(")
    browser("click", ".item-head button:text-is('Adjust…')")
    browser("held")
    browser("click", ".item-head button:text-is('Adjust…')")
    await asyncio.sleep(0.3)
    browser("release")
    browser("present", "dialog")
    await asyncio.sleep(0.3)
    assert browser("texts", "dialog h2") == ["Adjust stock"]

    browser("press", "Escape")
    browser("hold", "StockroomItemLevels(")
    browser("click", ".item-head button:text-is('Count…')")
    browser("held")
    browser("click", ".nav a:text-is('Stock')")
    browser("present", ".list .sku")
    browser("release")
    await asyncio.sleep(0.3)
    assert browser("texts", "dialog h2") == []
    browser("click", ".list tbody tr:has(.sku:text-is('DISH')) button.more")
    browser("click", ".menu button:has-text('Count')")
    browser("shows", "dialog h2", "Count stock")
    assert browser("complaints") == []


async def test_nothing_stands_in_the_way_of_people(browser: Browser, shop: Shop, db: None) -> None:
    await make.product("LAMP")
    await make.stock("LAMP", "BERLIN", 12)
    await make.stock("LAMP", "LYON", 3)
    browser("open", shop.url("item?sku=LAMP", await make.token(name="fred")))
    browser("emulate", {"reducedMotion": "reduce"})
    browser("shows", ".legend", "Berlin")
    browser("shows", ".settings", "other settings, not set")
    browser("click", ".settings summary")
    found = {"page": barriers(browser)}

    browser("evaluate", "document.querySelector('.settings button').focus()")
    browser("press", "Enter")
    browser("shows", "dialog", "Alert below")
    found["dialog"] = barriers(browser)
    browser("press", "Escape")
    browser("gone", "dialog")

    assert found == {"page": {}, "dialog": {}}
    assert browser("evaluate", "document.activeElement.ariaLabel") == "Change: Alert below"


async def test_a_setting_is_changed_for_an_organization_and_a_website(browser: Browser, shop: Shop, db: None) -> None:
    await make.product("PLATE")
    await make.stock("PLATE", "BERLIN", 12)
    browser("open", shop.url("item?sku=PLATE", await make.token(name="hans")))
    browser("shows", ".settings", "Backorders")

    for place, told in (("organization", "organization default"), ("website", "website shop")):
        browser("click", "button[aria-label='Change: Backorders']")
        browser("shows", "dialog h2", "Backorders")
        label = browser(
            "evaluate",
            f"[...document.querySelectorAll('dialog option')].find((one) => one.text.startsWith('The {place} ')).value",
        )
        browser("choose", "dialog .field:nth-of-type(1) select", label)
        browser("choose", "dialog .field:nth-of-type(2) select", "ALLOW")
        browser("click", "dialog .first")
        browser("shows", ".notice", f"Taken, from the {told}.")
        browser("shows", ".settings", f"From the {told}")

    assert value_of(browser, "Backorders") == ["Taken", "From the website shop"]
    assert browser("complaints") == []
