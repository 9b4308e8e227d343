"""What people do with an item in the stockroom, in a real browser on a real server that others use and that can be away."""

import itertools
from decimal import Decimal

from gqlstock.rules.scopes import SYSTEM
from gqlstock.services import receive, ship_transfer
from gqlstock.services.receive import AnnounceStockRequest
from gqlstock.services.ship_transfer import ShipTransferRequest
from gqlstock.services.stock_edits import StockLine
from gqlstock.store.db import sql
from support import shop_builders as make
from support.browsed_shop import Shop
from support.browser import Browser, barriers, needs_chromium

pytestmark = needs_chromium

NAMES = (f"person {number}" for number in itertools.count())


async def stocked(sku: str) -> None:
    await make.product(sku)
    await make.stock(sku, "BERLIN", 12)
    await make.stock(sku, "LYON", 30)


async def enter(browser: Browser, shop: Shop, sku: str, *scopes: str, warehouses: tuple[str, ...] = ()) -> None:
    token = await make.token(*scopes, name=next(NAMES), warehouses=warehouses)
    browser("open", shop.url(f"stock?q={sku.lower()}", token))
    browser("present", row(sku))


async def movements(sku: str) -> list[str]:
    """The kinds and quantities of the item's movements, oldest first, such as ``COUNT 12``."""
    rows = await sql.query(
        "SELECT m.kind, m.quantity FROM stock_movement m JOIN inventory_level l ON l.id = m.level_id"
        " JOIN item i ON i.id = l.item_id WHERE i.sku = ? ORDER BY m.id",
        sku,
    )
    return [f"{row['kind']} {row['quantity'] // 10_000}" for row in rows]


def row(sku: str) -> str:
    return f".list tbody tr:has(.sku:text-is('{sku}'))"


def act(browser: Browser, sku: str, action: str) -> None:
    browser("click", f"{row(sku)} button.more")
    browser("click", f".menu button:has-text('{action}')")
    browser("present", "dialog")


async def test_a_count_does_not_overwrite_a_change_that_nobody_has_seen(browser: Browser, shop: Shop, db: None) -> None:
    await stocked("MUG")
    await enter(browser, shop, "MUG")
    act(browser, "MUG", "Count")
    browser("shows", ".preview", "12 on hand now.")
    browser("fill", ".quantity input", "11")
    browser("shows", ".preview", "12 on hand now; the count changes it by −1.")

    await make.stock("MUG", "BERLIN", 10)

    browser("says", ".preview", "10 on hand now; the count changes it by +1. It was 12 when you entered the count.")
    browser("press", "Enter")
    browser("shows", ".quantity .field-error", "On hand went from 12 to 10 meanwhile.")
    assert browser("evaluate", "document.activeElement.getAttribute('aria-invalid')") == "true"
    assert await movements("MUG") == ["COUNT 12", "COUNT 30", "COUNT -2"]

    browser("press", "Enter")

    browser("shows", ".notice", "Mug in Berlin: counted, now 11 on hand (+1).")
    browser("shows", f"{row('MUG')} .available", "41")
    browser("click", ".notice button:has-text('Undo')")
    browser("shows", ".notice", "Undone")
    browser("shows", f"{row('MUG')} .available", "40")

    act(browser, "MUG", "Count")
    browser("fill", ".quantity input", "10")
    browser("press", "Enter")
    browser("shows", ".notice", "as many on hand as before")
    assert await movements("MUG") == ["COUNT 12", "COUNT 30", "COUNT -2", "COUNT 1", "COUNT -1"]
    assert browser("complaints") == []


async def test_what_arrives_fills_the_delivery_that_is_chosen(browser: Browser, shop: Shop, db: None) -> None:
    await stocked("JUG")
    lines = (StockLine("JUG", Decimal(20)),)
    await receive.announce(SYSTEM, AnnounceStockRequest("BERLIN", lines, reference="PO-1"))
    await ship_transfer.ship(SYSTEM, ShipTransferRequest("LYON", "BERLIN", (StockLine("JUG", Decimal(3)),)))
    await enter(browser, shop, "JUG")
    browser("shows", f"{row('JUG')} .incoming", "23")

    act(browser, "JUG", "Receive")
    announced, shipped, *others = browser("texts", ".choice option")
    assert (announced, others) == ("Berlin: 20, PO-1", ["Berlin: not announced", "Lyon: not announced"])
    browser("fill", ".quantity input", "5")
    browser("shows", ".preview", "12 on hand now, 17 after. 15 of the delivery still to come.")
    browser("press", "Enter")
    browser("shows", ".notice", "Jug in Berlin: 5 received, now 17 on hand.")
    browser("gone", ".notice button:has-text('Undo')")
    browser("shows", f"{row('JUG')} .incoming", "18")

    act(browser, "JUG", "Receive")
    browser("choose", ".choice select", shipped)
    browser("fill", ".quantity input", "4")
    browser("press", "Enter")
    browser("shows", ".quantity .field-error", "3")
    browser("fill", ".quantity input", "3")
    browser("press", "Enter")
    browser("shows", ".notice", "Jug in Berlin: 3 received of transfer")
    browser("shows", f"{row('JUG')} .incoming", "15")

    act(browser, "JUG", "Receive")
    browser("choose", ".choice select", "Berlin: not announced")
    browser("fill", ".quantity input", "2")
    browser("press", "Enter")
    browser("shows", ".notice", "Jug in Berlin: 2 received, now 22 on hand.")
    browser("shows", f"{row('JUG')} .incoming", "15")
    browser("click", ".notice button:has-text('Undo')")
    browser("shows", ".notice", "Undone")

    act(browser, "JUG", "Receive")
    browser("choose", ".choice select", "Lyon: not announced")
    browser("fill", ".quantity input", "1")
    browser("press", "Enter")
    browser("shows", ".notice", "Jug in Lyon: 1 received, now 28 on hand.")
    arrived = ["RECEIPT 5", "TRANSFER_IN 3", "ADJUSTMENT 2", "COUNT -2", "RECEIPT 1"]
    assert (await movements("JUG"))[3:] == arrived
    assert browser("complaints") == []


async def test_units_move_between_warehouses_at_once_or_on_their_way(browser: Browser, shop: Shop, db: None) -> None:
    await stocked("TRAY")
    await enter(browser, shop, "TRAY")
    act(browser, "TRAY", "Transfer")
    browser("fill", ".quantity input", "13")
    browser("press", "Enter")
    browser("shows", ".quantity .field-error", "Only 12 of TRAY available, 13 requested.")
    browser("fill", ".quantity input", "4")
    browser("shows", ".preview", "Berlin: 12 available, 8 after. Lyon: 30 available, 34 after.")
    browser("press", "Enter")
    browser("shows", ".notice", "Tray: 4 moved. Now 8 on hand in Berlin, 34 in Lyon.")
    browser("shows", f"{row('TRAY')} .on-hand", "34")

    browser("click", ".notice button:has-text('Undo')")

    browser("shows", ".notice", "Undone")
    browser("shows", f"{row('TRAY')} .on-hand >> nth=0", "12")
    browser("shows", f"{row('TRAY')} .on-hand >> nth=1", "30")

    act(browser, "TRAY", "Transfer")
    browser("gone", ".date")
    browser("choose", ".field:has-text('Arrival') select", "They are on their way")
    browser("present", ".date input:visible")
    browser("fill", ".quantity input", "5")
    # A day without a time, and a year of five digits.
    browser("evaluate", "document.querySelector('.date input').focus()")
    for key in "02032101":
        browser("press", key)
    browser("press", "Enter")
    browser("says", ".date .field-error", "Enter the day and the time.")
    browser(
        "evaluate",
        "document.querySelector('.date input').value = '20260-01-01T10:00';"
        "document.querySelector('dialog form').dispatchEvent(new Event('input'));",
    )
    browser("click", "dialog .first")
    browser("says", ".date .field-error", "Enter the day and the time.")
    browser("fill", ".date input", "")
    browser("press", "Enter")
    browser("shows", ".notice", "Tray: 5 on the way to Lyon, transfer")
    browser("shows", f"{row('TRAY')} .incoming", "5")
    moved = ["TRANSFER_OUT -4", "TRANSFER_IN 4", "TRANSFER_OUT -4", "TRANSFER_IN 4", "TRANSFER_OUT -5"]
    assert (await movements("TRAY"))[2:] == moved
    assert browser("complaints") == []


async def test_alerts_and_statuses_are_set_and_another_window_shows_them(
    browser: Browser, shop: Shop, db: None
) -> None:
    await stocked("VASE")
    await enter(browser, shop, "VASE")
    with Browser() as other:
        await enter(other, shop, "VASE")
        other("shows", f"{row('VASE')} .state", "In stock")
        act(browser, "VASE", "Alert below")
        browser("says", ".preview", "Now 10, from the whole shop.")
        browser("fill", ".quantity input", "−1")
        browser("press", "Enter")
        browser("shows", ".quantity .field-error", "Enter a number that is not below 0.")
        browser("fill", ".quantity input", "43")
        browser("press", "Enter")
        browser("shows", ".notice", "Alert below for Vase: 43, set for the product VASE.")
        other("shows", f"{row('VASE')} .state", "Low")

        act(browser, "VASE", "Alert below")
        assert browser("texts", "dialog option") == [
            "This item: 43",
            "The website Shop: 10",
            "The organization Default organization: 10",
            "The whole shop: 10",
            "Berlin alone: Never",
            "Lyon alone: Never",
        ]
        browser("choose", "dialog select", "Berlin alone: Never")
        browser("says", ".preview", "Now never for this warehouse alone.")
        browser("fill", ".quantity input", "5")
        browser("press", "Enter")
        browser("shows", ".notice", "Alert below for Vase in Berlin: 5, set for BERLIN alone.")

        act(browser, "VASE", "Alert below")
        browser("fill", ".quantity input", "")
        browser("press", "Enter")
        browser("shows", ".notice", "Alert below for Vase: 10, from the whole shop.")
        other("shows", f"{row('VASE')} .state", "In stock")

        act(browser, "VASE", "Set status")
        browser("choose", ".choice select", "Discontinued")
        browser("shows", ".preview", "Shops do not show it.")
        browser("choose", ".choice select", "Out of stock")
        browser("click", "dialog .first")
        browser("shows", ".notice", "Vase is marked as out of stock. Shops show it, and do not sell it")
        browser("shows", f"{row('VASE')} .state", "Marked out")
        other("shows", f"{row('VASE')} .state", "Marked out")
        assert other("complaints") == []
    assert browser("complaints") == []


async def test_an_action_during_which_the_server_is_killed_is_sent_again_and_applied_once(
    browser: Browser, shop: Shop, db: None
) -> None:
    await stocked("BOWL")
    await enter(browser, shop, "BOWL")
    act(browser, "BOWL", "Transfer")
    browser("fill", ".quantity input", "4")
    browser("lose")
    browser("press", "Enter")
    browser("shows", "dialog .trouble", "it is not known whether this was saved")
    assert browser("evaluate", "document.activeElement.textContent") == "Send again"
    async with shop.away():
        browser("press", "Enter")
        browser("shows", "dialog .trouble", "it is not known whether this was saved")

    browser("click", "dialog button:has-text('Send again')")

    browser("shows", ".notice", "Bowl: 4 moved. Now 8 on hand in Berlin, 34 in Lyon.")
    assert (await movements("BOWL"))[2:] == ["TRANSFER_OUT -4", "TRANSFER_IN 4"]

    act(browser, "BOWL", "Count")
    browser("fill", ".quantity input", "7")
    async with shop.away():
        browser("click", "dialog .first")
        browser("shows", "dialog .trouble", "it is not known whether this was saved")
        await make.stock("BOWL", "BERLIN", 6)

    browser("shows", ".preview", "6 on hand now")
    browser("click", "dialog button:has-text('Send again')")

    browser("shows", ".quantity .field-error", "On hand went from 8 to 6 meanwhile.")
    assert (await movements("BOWL"))[4:] == ["COUNT -2"]

    browser("press", "Escape")
    act(browser, "BOWL", "Set status")
    browser("choose", ".choice select", "Out of stock")
    browser("lose")
    browser("click", "dialog .first")
    browser("shows", "dialog .trouble", "it is not known whether this was saved")
    browser("click", "dialog button:has-text('Send again')")
    browser("shows", ".notice", "Bowl is marked as out of stock.")


async def test_a_dialog_that_was_closed_too_early_still_says_what_became_of_it(
    browser: Browser, shop: Shop, db: None
) -> None:
    await stocked("CUP")
    await enter(browser, shop, "CUP")

    def close_while_saving(change: str, *, is_lost: bool = False) -> None:
        act(browser, "CUP", "Adjust")
        browser("fill", "dialog .signed input", change)
        browser("hold", "mutation")
        browser("press", "Enter")
        browser("held")
        browser("press", "Escape")
        browser("gone", "dialog")
        browser("release", is_lost)

    close_while_saving("-13")
    browser("shows", ".notice", "Adjust stock: not saved. Only 12 of CUP on hand, cannot remove 13.")

    close_while_saving("1", is_lost=True)
    browser("shows", ".notice", "Adjust stock: the server did not answer, so it is not known whether this was saved.")

    close_while_saving("2")
    browser("shows", ".notice", "Cup in Berlin: +2, now 15 on hand.")
    assert await movements("CUP") == ["COUNT 12", "COUNT 30", "ADJUSTMENT 1", "ADJUSTMENT 2"]
    assert browser("complaints") == []


async def test_the_menu_offers_what_the_token_may_and_the_item_has(browser: Browser, shop: Shop, db: None) -> None:
    await stocked("LAMP")
    await make.product("SHIRT", options={"Size": ["S"]})

    async def offered(sku: str, *scopes: str, warehouses: tuple[str, ...] = ()) -> list[str]:
        await enter(browser, shop, sku, "inventory:read", *scopes, warehouses=warehouses)
        browser("click", f"{row(sku)} button.more")
        return [action.removesuffix("…") for action in browser("texts", ".menu button")]

    stock = ["Adjust", "Count", "Receive", "Transfer"]
    assert await offered("LAMP", "inventory:write") == [*stock, "Set status"]
    assert await offered("LAMP", "settings:write") == ["Alert below"]
    assert await offered("SHIRT", "inventory:write", "settings:write") == ["Alert below", "Set status"]
    assert await offered("SHIRT-S", "inventory:write", "settings:write") == [*stock, "Alert below"]
    assert await offered("LAMP", "inventory:write", warehouses=("LYON",)) == stock

    browser("click", ".menu button:has-text('Transfer')")
    browser("present", "dialog")
    assert browser("texts", ".field:has-text('From') option") == ["Lyon: 30 available"]
    browser("fill", ".quantity input", "2")
    browser("press", "Enter")
    browser("shows", ".notice", "Lamp: 2 on the way to Berlin, transfer")


async def test_the_keyboard_alone_counts_and_nothing_stands_in_the_way(browser: Browser, shop: Shop, db: None) -> None:
    await stocked("CARAFE")
    await enter(browser, shop, "CARAFE")
    # During an animation, colors are mixed and their contrast cannot be checked.
    browser("emulate", {"reducedMotion": "reduce"})
    browser("evaluate", "document.querySelector('.list .more').focus()")
    for key in ("Enter", "ArrowDown", "Enter"):
        browser("press", key)
    browser("shows", "dialog", "Count stock")
    browser("press", "9")
    browser("press", "Enter")
    browser("shows", ".notice", "Carafe in Berlin: counted, now 9 on hand (−3).")
    assert browser("evaluate", "document.activeElement.ariaLabel") == "Actions for Carafe"

    found = {}
    for action in ("Count", "Receive", "Transfer", "Alert below", "Set status"):
        act(browser, "CARAFE", action)
        if action not in ("Alert below", "Set status"):
            browser("click", "dialog .first")
            browser("shows", ".field-error", "is missing.")
        found[action] = barriers(browser)
        browser("press", "Escape")
        browser("gone", "dialog")
        assert browser("evaluate", "document.activeElement.ariaLabel") == "Actions for Carafe"

    assert found == {action: {} for action in found}
