"""The page of what is on its way, in a real browser, on a real server: received, changed, withdrawn and canceled."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from gqlstock.rules.given_ids import GivenId
from gqlstock.rules.scopes import SYSTEM
from gqlstock.services import receive, update_announcement
from gqlstock.services.receive import AnnounceStockRequest
from gqlstock.services.stock_edits import StockLine
from gqlstock.store.announcements import StockAnnouncement
from support import order_life as life
from support import shop_builders as make
from support import transfers
from support.browsed_shop import Shop
from support.browser import Browser, barriers, needs_chromium

pytestmark = needs_chromium
NOW = datetime.now(UTC)
SHOP_SETTINGS: dict[str, int] = {}


TWO_DAYS_LATER = """void (Date = class extends Date {
    constructor(...at) {
        super(...(at.length ? at : [Date.now() + 2 * 24 * 3600 * 1000]));
    }
})"""


async def announced(reference: str, days: int | None = 3, warehouse: str = "BERLIN", **lines: int) -> None:
    """New items by their SKUs, on their way to a warehouse."""
    for sku in lines:
        await make.product(sku)
    wanted = tuple(StockLine(sku, Decimal(quantity)) for sku, quantity in lines.items())
    at = None if days is None else NOW + timedelta(days=days)
    await receive.announce(SYSTEM, AnnounceStockRequest(warehouse, wanted, at, reference))


def row(sku: str) -> str:
    return f".list tbody tr:has(.sku:text-is('{sku}'))"


def units(sku: str) -> str:
    """The field for the quantity of an item in a dialog."""
    return f"dialog .units:has(label:has-text('{sku}'))"


def act(browser: Browser, sku: str, label: str) -> None:
    browser("click", f"{row(sku)} button.more")
    browser("click", f".menu button:has-text('{label}')")
    browser("present", "dialog[open]")


async def test_a_delivery_is_received_in_parts_and_a_second_window_sees_it(
    browser: Browser, shop: Shop, db: None
) -> None:
    await announced("PO-1", MUG=12, JUG=5)
    token = await make.token(name="anna")
    browser("open", shop.url("incoming?q=PO-1", token))
    browser("shows", f"{row('JUG')} .missing", "5")
    browser("window", shop.url("incoming?q=PO-1", token))

    act(browser, "MUG", "Receive…")
    browser("fill", f"{units('MUG')} input", "1.5")
    browser("press", "Enter")
    browser("shows", f"{units('MUG')} .field-error", "1.5")
    browser("fill", f"{units('MUG')} input", "4")
    browser("lose")
    browser("press", "Enter")
    browser("shows", "dialog .trouble", "it is not known whether this was saved")
    browser("click", "dialog button:has-text('Send again')")
    browser("shows", ".notice", "4 of Mug received: now 4 on hand in Berlin.")
    browser("shows", f"{row('MUG')} .missing", "8")
    browser("shows", f"{row('MUG')} .state", "Partly received")

    act(browser, "MUG", "Receive delivery PO-1…")
    browser("fill", f"{units('MUG')} input", "7")
    browser("press", "Enter")
    browser("shows", ".notice", "12 units of 2 items received in Berlin.")
    browser("gone", row("JUG"))

    browser("front", 0)
    browser("shows", f"{row('MUG')} .missing", "1")
    browser("gone", row("JUG"))
    assert (await life.figures("MUG"), await life.figures("JUG")) == (life.Figures(11), life.Figures(5))
    assert browser("complaints") == []


async def test_an_announcement_is_changed_and_withdrawn_at_its_place_in_the_list(
    browser: Browser, shop: Shop, db: None
) -> None:
    await announced("PO-2", days=-1, TRAY=3)
    await announced("PO-2", days=2, BOWL=3)
    await announced("PO-2", days=None, VASE=3)
    browser("open", shop.url("incoming?q=PO-2", await make.token(name="bert")))
    browser("shows", f"{row('VASE')} .expected", "no date")
    assert browser("texts", ".list .sku") == ["TRAY", "BOWL", "VASE"]
    browser("shows", f"{row('TRAY')} .state", "Overdue")

    act(browser, "VASE", "Change…")
    browser("fill", "dialog input[type=datetime-local]", f"{NOW + timedelta(days=1):%Y-%m-%dT%H:%M}")
    browser("fill", "dialog .quantity input", "1.5")
    browser("press", "Enter")
    browser("shows", "dialog .quantity .field-error", "1.5")
    browser("fill", "dialog .quantity input", "6")
    browser("press", "Enter")
    browser("shows", f"{row('VASE')} .missing", "6")
    assert browser("texts", ".list .sku") == ["TRAY", "VASE", "BOWL"]

    browser("click", ".chip:has-text('Overdue')")
    browser("gone", row("BOWL"))
    act(browser, "TRAY", "Withdraw…")
    browser("shows", "dialog", "3 of Tray (TRAY) will not arrive in Berlin.")
    browser("click", "dialog .first")
    browser("shows", ".notice", "3 of Tray are no longer announced for Berlin.")
    browser("shows", ".sentence", "Nothing on its way has the document number PO-2.")
    assert browser("complaints") == []


async def test_transfers_are_received_in_parts_and_canceled(browser: Browser, shop: Shop, db: None) -> None:
    for sku in ("LAMP", "APRON"):
        await make.product(sku)
        await make.stock(sku, "BERLIN", 9)
    number = await transfers.ship(("LAMP", 5), ("APRON", 2), target="LYON", reference="T-1")
    browser("open", shop.url("incoming?q=T-1", await make.token(name="carl")))
    browser("shows", f"{row('LAMP')} .delivery", f"Transfer {number} from Berlin")

    act(browser, "LAMP", "Receive the transfer…")
    browser("fill", f"{units('LAMP')} input", "6")
    browser("press", "Enter")
    browser("shows", f"{units('LAMP')} .field-error", "LAMP")
    browser("fill", f"{units('LAMP')} input", "3")
    browser("press", "Enter")
    browser("shows", ".notice", f"Transfer {number}: the units are received. More is on its way.")
    browser("gone", row("APRON"))
    browser("shows", f"{row('LAMP')} .missing", "2")

    act(browser, "LAMP", "Change the date…")
    browser("fill", "dialog input[type=datetime-local]", "2101-02-03T10:00")
    browser("press", "Enter")
    browser("shows", f"{row('LAMP')} .expected", "3 Feb 2101")

    act(browser, "LAMP", "Cancel the transfer…")
    browser("click", "dialog .first")
    browser("shows", ".notice", f"Transfer {number} is canceled. Its units are in Berlin again.")
    browser("gone", row("LAMP"))
    assert (await life.figures("LAMP"), await life.figures("LAMP", "LYON")) == (life.Figures(6), life.Figures(3))
    assert browser("complaints") == []


async def test_the_stock_page_follows_dates_as_they_change_and_as_days_pass(
    browser: Browser, shop: Shop, db: None
) -> None:
    await announced("PO-4", days=2, LID=3)
    browser("open", shop.url("stock?q=lid", await make.token(name="emil")))
    browser("present", f"{row('LID')} .incoming .when")

    (announcement,) = await StockAnnouncement.filter(reference="PO-4")
    later = {"expected_at": NOW + timedelta(days=3)}
    await update_announcement.update(SYSTEM, GivenId(announcement.id, "told"), later)
    browser("evaluate", TWO_DAYS_LATER)

    browser("shows", f"{row('LID')} .incoming .when", "tomorrow")
    assert browser("complaints") == []


async def test_nothing_stands_in_the_way_of_people(browser: Browser, shop: Shop, db: None) -> None:
    await announced("PO-3", days=-1, warehouse="LYON", CARAFE=3)
    browser("open", shop.url("incoming?q=PO-3&warehouse=LYON", await make.token(name="dora")))
    browser("emulate", {"reducedMotion": "reduce"})
    browser("present", row("CARAFE"))
    found = {"list": barriers(browser)}
    browser("size", 1280, 900)
    browser("evaluate", "document.querySelector('.list .more').focus()")
    browser("press", "Enter")
    browser("press", "Enter")
    browser("shows", "dialog", "Receive in Lyon")
    browser("press", "x")
    browser("press", "Enter")
    browser("shows", ".field-error", "Enter a number")
    found["dialog"] = barriers(browser)
    browser("press", "2")
    browser("press", "Enter")
    browser("shows", ".notice", "2 of Carafe received: now 2 on hand in Lyon.")

    browser("open", shop.url("incoming?q=PO-3", await make.token("inventory:read", name="looks")))
    browser("shows", f"{row('CARAFE')} .missing", "1")
    assert browser("texts", ".list button") == []
    assert found == {"list": {}, "dialog": {}}
