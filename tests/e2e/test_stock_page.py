"""The stock page in a real browser, on a real server: what people see and do, also while the server is away."""

import asyncio
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from gqlstock.services import tokens
from gqlstock.store.db import sql
from support import shop_builders as make
from support.browsed_shop import Shop
from support.browser import Browser, barriers, needs_chromium

pytestmark = needs_chromium


async def stocked(sku: str, berlin: int = 12) -> None:
    await make.product(sku)
    await make.stock(sku, "BERLIN", berlin)
    await make.stock(sku, "LYON", 30)


async def movements(sku: str) -> list[str]:
    """The kinds of the item's movements in Berlin, oldest first."""
    rows = await sql.query(
        "SELECT m.kind FROM stock_movement m JOIN inventory_level l ON l.id = m.level_id JOIN item i ON i.id = l.item_id"
        " JOIN warehouse w ON w.id = l.warehouse_id WHERE i.sku = ? AND w.code = 'BERLIN' ORDER BY m.id",
        sku,
    )
    return [row["kind"] for row in rows]


def row(sku: str) -> str:
    return f".list tbody tr:has(.sku:text-is('{sku}'))"


def open_adjust(browser: Browser, sku: str) -> None:
    browser("click", f"{row(sku)} button.more")
    browser("click", ".menu button:has-text('Adjust')")
    browser("shows", "dialog", "Adjust stock")


async def test_rows_change_as_stock_changes(browser: Browser, shop: Shop, db: None) -> None:
    await stocked("MUG")
    browser("open", shop.url("stock?q=mug", await make.token(name="anna")))
    browser("shows", f"{row('MUG')} .available", "42")
    browser("shows", f"{row('MUG')} .state", "In stock")
    assert browser("url") == shop.url("stock?q=mug")

    await make.stock("MUG", "BERLIN", 3)
    await make.stock("MUG", "LYON", 4)

    browser("shows", f"{row('MUG')} .available", "7")
    browser("shows", f"{row('MUG')} .state", "Low")
    assert browser("texts", f"{row('MUG')} .on-hand") == ["3", "4"]
    assert browser("complaints") == []


async def test_an_adjustment_is_refused_at_its_field_then_saved_then_undone(
    browser: Browser, shop: Shop, db: None
) -> None:
    await stocked("JUG")
    browser("open", shop.url("stock?q=jug", await make.token(name="bert")))
    open_adjust(browser, "JUG")

    browser("fill", ".signed input", "two")
    browser("press", "Enter")
    browser("shows", ".signed .field-error", "Enter a number such as 12 or 2.5.")
    browser("fill", ".signed input", "-13")
    browser("press", "Enter")

    browser("shows", ".signed .field-error", "Only 12 of JUG on hand, cannot remove 13.")
    assert browser("evaluate", "document.activeElement.getAttribute('aria-invalid')") == "true"

    browser("fill", ".signed input", "−2")
    browser("shows", ".preview", "12 on hand now, 10 after.")
    browser("press", "Enter")

    browser("shows", ".notice", "Jug in Berlin: −2, now 10 on hand.")
    browser("gone", "dialog")
    browser("shows", f"{row('JUG')} .available", "40")
    assert browser("evaluate", "document.activeElement.ariaLabel") == "Actions for Jug"

    browser("click", ".notice button:has-text('Undo')")

    browser("shows", ".notice", "Undone")
    browser("shows", f"{row('JUG')} .available", "42")
    assert browser("complaints") == []


async def test_undo_is_offered_while_the_movement_is_the_newest(browser: Browser, shop: Shop, db: None) -> None:
    await stocked("TRAY")
    browser("open", shop.url("stock?q=tray", await make.token(name="carl")))
    open_adjust(browser, "TRAY")
    browser("fill", ".signed input", "5")
    browser("press", "Enter")
    browser("shows", ".notice", "now 17 on hand")
    browser("present", ".notice button:has-text('Undo')")

    await make.stock("TRAY", "BERLIN", 16)

    browser("gone", ".notice button:has-text('Undo')")
    browser("shows", ".notice", "now 17 on hand")


async def test_an_adjustment_whose_answer_is_lost_is_sent_again_and_saved_once(
    browser: Browser, shop: Shop, db: None
) -> None:
    await stocked("VASE")
    browser("open", shop.url("stock?q=vase", await make.token(name="dora")))
    open_adjust(browser, "VASE")
    browser("fill", ".signed input", "-2")
    browser("lose")
    browser("click", "dialog .first")

    browser("shows", "dialog .trouble", "it is not known whether this was saved")
    browser("shows", f"{row('VASE')} .available", "40")
    browser("click", "dialog button:has-text('Send again')")

    browser("shows", ".notice", "Vase in Berlin: −2, now 10 on hand.")
    browser("shows", f"{row('VASE')} .available", "40")
    assert await movements("VASE") == ["COUNT", "ADJUSTMENT"]


async def test_an_adjustment_sent_to_a_server_that_is_away_is_saved_when_it_is_back(
    browser: Browser, shop: Shop, db: None
) -> None:
    await stocked("BOWL")
    browser("open", shop.url("stock?q=bowl", await make.token(name="emil")))
    open_adjust(browser, "BOWL")
    browser("fill", ".signed input", "-2")

    async with shop.away():
        browser("shows", "#status", "Reconnecting…")
        browser("click", "dialog .first")
        browser("shows", "dialog .trouble", "it is not known whether this was saved")
        # In the meantime the list is to be read again.
        await asyncio.sleep(5)

    browser("click", "dialog button:has-text('Send again')")

    browser("shows", ".notice", "Bowl in Berlin: −2, now 10 on hand.")
    browser("shows", f"{row('BOWL')} .available", "40")
    assert await movements("BOWL") == ["COUNT", "ADJUSTMENT"]

    await make.product("BOWL-2")

    browser("present", row("BOWL-2"))


async def test_the_keyboard_alone_adjusts(browser: Browser, shop: Shop, db: None) -> None:
    await stocked("APRON")
    browser("open", shop.url("stock?q=apron", await make.token(name="fred")))
    browser("present", row("APRON"))

    browser("evaluate", "document.querySelector('.list .more').focus()")
    browser("press", "Enter")
    browser("shows", ".menu", "Adjust")
    browser("press", "Enter")
    browser("shows", "dialog", "Adjust stock")
    browser("press", "4")
    browser("press", "Enter")

    browser("shows", ".notice", "Apron in Berlin: +4, now 16 on hand.")
    assert browser("evaluate", "document.activeElement.ariaLabel") == "Actions for Apron"

    browser("press", "Enter")
    browser("press", "Enter")
    browser("shows", "dialog", "Adjust stock")
    browser("press", "Escape")

    browser("gone", "dialog")
    assert browser("complaints") == []


async def test_what_is_chosen_is_in_the_address_and_the_back_button_leads_back(
    browser: Browser, shop: Shop, db: None
) -> None:
    for place, berlin in enumerate((0, 5, 40)):
        await stocked(f"POT-{place}", berlin)
    await make.stock("POT-0", "LYON", 0)
    browser("open", shop.url("stock?q=pot-", await make.token(name="hugo")))
    browser("shows", ".card-head p", "3 items")

    browser("fill", "[type=search]", "pot-1")
    browser("click", ".list .name:text-is('Pot-1')")
    browser("says", "#item-title", "Pot-1")
    await asyncio.sleep(0.4)
    assert browser("url") == shop.url("item?sku=POT-1")
    browser("evaluate", "history.back()")
    browser("shows", ".card-head p", "1 item")
    assert browser("url") == shop.url("stock?q=pot-1")

    browser("fill", "[type=search]", "pot-")
    browser("click", ".chip:has-text('Out of stock')")
    browser("shows", ".list .sku", "POT-0")
    entries = browser("evaluate", "history.length")
    browser("click", ".chip:has-text('Out of stock')")

    browser("shows", ".card-head p", "1 item")
    assert browser("evaluate", "history.length") == entries
    assert browser("url") == shop.url("stock?q=pot-&show=out")
    assert browser("texts", ".list .sku") == ["POT-0"]

    browser("click", ".chip:has-text('All')")
    browser("shows", ".card-head p", "3 items")
    browser("click", ".sort:has-text('Available')")
    browser("present", "th[aria-sort=ascending].available")
    browser("click", ".sort:has-text('Available')")
    browser("shows", ".list tbody tr:first-child .sku", "POT-2")

    assert browser("url") == shop.url("stock?q=pot-&sort=AVAILABLE&dir=desc")
    assert browser("texts", ".list .sku") == ["POT-2", "POT-1", "POT-0"]

    browser("evaluate", "history.go(-3)")

    browser("shows", ".card-head p", "1 item")
    assert browser("texts", ".list .sku") == ["POT-0"]

    browser("fill", "[type=search]", "kettle")

    browser("shows", ".sentence", "No item matches by name, SKU, code or barcode.")

    browser("fill", "[type=search]", "")
    browser("choose", "select[aria-label=Warehouse]", "LYON")
    browser("click", ".chip:has-text('On backorder')")

    browser("shows", ".sentence", "No item of this warehouse is on backorder in any warehouse.")
    assert browser("complaints") == []


async def test_rows_move_as_stock_changes(browser: Browser, shop: Shop, db: None) -> None:
    await stocked("CUP-A", 1)
    await stocked("CUP-B", 2)
    browser("open", shop.url("stock?q=cup-&sort=AVAILABLE", await make.token(name="ines")))
    browser("shows", ".list tbody tr:first-child .sku", "CUP-A")
    browser("evaluate", "document.querySelector('.list .more').focus()")

    await make.stock("CUP-A", "BERLIN", 9)

    browser("shows", ".list tbody tr:first-child .sku", "CUP-B")
    assert browser("texts", ".list .available") == ["Available▴", "32", "39"]

    await make.stock("CUP-B", "BERLIN", 60)

    browser("shows", ".list tbody tr:first-child .sku", "CUP-A")
    assert browser("evaluate", "document.activeElement.ariaLabel") == "Actions for Cup-a"

    await make.stock("CUP-A", "LYON", 0)
    browser("click", ".chip:has-text('Low')")
    browser("says", ".list .sku", "CUP-A")
    browser("evaluate", "document.querySelector('.list .more').focus()")
    await make.stock("CUP-A", "LYON", 30)
    browser("shows", ".sentence", "No item matches")
    assert browser("evaluate", "document.activeElement.id") == "stock-title"


async def test_many_items_are_shown_page_by_page(browser: Browser, shop: Shop, db: None) -> None:
    for number in range(53):
        await make.product(f"TILE-{number:02}")
    browser("open", shop.url("stock?q=tile-&sort=SKU", await make.token(name="jana")))
    browser("shows", ".pager", "Page 1 of 2")

    browser("click", ".pager a:has-text('Next')")

    browser("shows", ".pager", "Page 2 of 2")
    assert browser("texts", ".list .sku") == ["TILE-50", "TILE-51", "TILE-52"]
    assert browser("evaluate", "document.activeElement.id") == "stock-title"

    browser("evaluate", "location.reload()")
    browser("shows", ".pager", "Page 2 of 2")
    browser("click", ".pager a:has-text('Previous')")

    browser("shows", ".pager", "Page 1 of 2")
    assert browser("url") == shop.url("stock?q=tile-&sort=SKU")
    assert browser("complaints") == []


async def test_what_is_chosen_is_saved_as_csv(browser: Browser, shop: Shop, db: None) -> None:
    await make.product("=LID", name='Lid, "large"')
    await make.stock("=LID", "BERLIN", 2)
    # Where it is another day than in UTC.
    zone = "Pacific/Kiritimati" if datetime.now(UTC).hour >= 10 else "Pacific/Pago_Pago"
    browser("open", shop.url("stock?q=lid", await make.token(name="karl")), {"timezoneId": zone})
    browser("present", row("=LID"))

    saved = browser("download", ".card-head button:has-text('Save as CSV')")

    assert saved["name"] == f"stock-{datetime.now(ZoneInfo(zone)):%Y-%m-%d}.csv"
    assert saved["text"].removeprefix("\ufeff").splitlines() == [
        "SKU,Name,Berlin,Lyon,Available,On backorder,Incoming,Next expected,State",
        '\'=LID,"Lid, ""large""",2,0,2,0,0,,Low',
    ]
    assert browser("complaints") == []


async def test_two_browsers_see_each_others_changes(browser: Browser, shop: Shop, db: None) -> None:
    await stocked("SIEVE")
    browser("open", shop.url("stock?q=sieve", await make.token(name="lena")))
    browser("present", row("SIEVE"))
    with Browser() as other:
        other("open", shop.url("stock?q=sieve", await make.token(name="mila")))
        other("shows", f"{row('SIEVE')} .available", "42")

        open_adjust(browser, "SIEVE")
        browser("fill", ".signed input", "-1")
        open_adjust(other, "SIEVE")
        other("shows", ".preview", "12 on hand now.")
        browser("press", "Enter")

        other("shows", ".preview", "11 on hand now.")
        other("shows", f"{row('SIEVE')} .available", "41")
        other("fill", ".signed input", "-2")
        other("press", "Enter")
        other("shows", ".notice", "Sieve in Berlin: −2, now 9 on hand.")
        assert other("complaints") == []

    browser("shows", f"{row('SIEVE')} .available", "39")
    browser("gone", ".notice button:has-text('Undo')")
    assert browser("complaints") == []


async def test_who_may_only_look_is_offered_no_actions(browser: Browser, shop: Shop, db: None) -> None:
    await stocked("LAMP")
    browser("open", shop.url("stock?q=lamp", await make.token("inventory:read", name="looks")))

    browser("shows", f"{row('LAMP')} .available", "42")
    assert browser("texts", f"{row('LAMP')} button") == []


async def test_a_sign_in_link_opens_the_stock_once(browser: Browser, shop: Shop, db: None) -> None:
    code = await tokens.create_with_link("link", ["inventory:read"])
    browser("open", shop.url(f"stock?q=none#code={code}"))
    browser("shows", "#viewer", "link")
    assert browser("url") == shop.url("stock?q=none")

    browser("evaluate", f"location.hash = 'code={code}'")

    browser(
        "shows", ".notice", "This link was used already or has expired. Ask for a new one. You stay signed in as link."
    )
    browser("shows", "#viewer", "link")

    browser("open", shop.url(f"wall#code={code}"))

    browser("says", "#entrance-why", "This link was used already or has expired. Ask for a new one.")
    browser("shows", "#entrance", "gqlstock token create NAME --scope inventory:read --link")
    assert browser("url") == shop.url("wall")
    assert browser("complaints") == []

    unused = await tokens.create_with_link("ida", ["inventory:read"])
    async with shop.away():
        browser("evaluate", f"location.hash = 'code={unused}'")
        browser("shows", "#entrance-why", "The server did not answer. Open the link again, or ask for a new one.")
    browser("evaluate", f"location.hash = 'code={unused}'")
    browser("shows", "#viewer", "ida")


async def test_a_text_that_cannot_be_a_token_is_refused_at_the_form(browser: Browser, shop: Shop, db: None) -> None:
    browser("open", shop.url("stock#token=gqls_abc%E2%80%A6"))
    browser("shows", "#entrance-why", "This is not a token. Copy it again.")
    assert browser("url") == shop.url("stock")

    browser("fill", "#entrance-token", "gqls_\u200babc")
    browser("press", "Enter")

    browser("says", "#entrance-why", "This is not a token. Copy it again.")
    browser("fill", "#entrance-token", await make.token(name="nora"))
    browser("press", "Enter")
    browser("shows", "#viewer", "nora")
    assert browser("complaints") == []


async def test_nothing_stands_in_the_way_of_people(browser: Browser, shop: Shop, db: None) -> None:
    await stocked("CARAFE")
    browser("open", shop.url("stock?q=carafe"))
    found = {"form": barriers(browser)}
    browser("open", shop.url("stock?q=carafe", await make.token(name="gina")))
    # During an animation, colors are mixed and their contrast cannot be checked.
    browser("emulate", {"reducedMotion": "reduce"})
    browser("present", row("CARAFE"))

    found["page"] = barriers(browser)
    browser("click", f"{row('CARAFE')} button.more")
    found["menu"] = barriers(browser)
    browser("click", ".menu button:has-text('Adjust')")
    browser("click", "dialog .first")
    browser("shows", ".field-error", "Change is missing.")
    found["dialog"] = barriers(browser)
    browser("fill", ".signed input", "1")
    browser("click", "dialog .first")
    browser("shows", ".notice", "Carafe")
    found["notice"] = barriers(browser)

    assert found == {"form": {}, "page": {}, "menu": {}, "dialog": {}, "notice": {}}
