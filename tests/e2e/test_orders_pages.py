"""The pages of orders in a real browser, on a real server: from the list of what is to ship to what came back."""

from gqlstock.rules import orders as rules
from gqlstock.rules.settings import BackorderMode, InsufficientStockAction
from gqlstock.store.shipments import Shipment
from support import order_life as life
from support import shop_builders as make
from support.browsed_shop import Shop
from support.browser import Browser, barriers, needs_chromium

pytestmark = needs_chromium
SHOP_SETTINGS = {"insufficient_stock": InsufficientStockAction.HOLD_ORDER}


# The text of what has the focus, half a second after the list was read again.
FOCUS_AFTER_READING = """new Promise((resolve) => {
    const send = window.fetch;
    window.fetch = async (url, options) => {
        const answer = await send(url, options);
        const look = () => resolve(document.activeElement.textContent);
        if (options.body.includes('query StockroomOrders(')) setTimeout(look, 500);
        return answer;
    };
})"""


async def stocked(sku: str, berlin: int = 12, lyon: int = 0) -> None:
    await make.product(sku)
    await make.stock(sku, "BERLIN", berlin)
    if lyon:
        await make.stock(sku, "LYON", lyon)


async def ordered(**lines: int) -> tuple[int, str]:
    """An order of items by their SKUs: its id and its number."""
    order_id = await make.order(lines=lines)
    return order_id, rules.number(order_id)


def row(number: str) -> str:
    return f".list tbody tr:has(.name:text-is('{number}'))"


def line(sku: str) -> str:
    return f".order tbody tr:has(.sku:text-is('{sku}'))"


def units(sku: str) -> str:
    """The field for the quantity of an item in a dialog."""
    return f"dialog .units:has(label:has-text('{sku}'))"


def act(browser: Browser, label: str, title: str) -> None:
    browser("click", f".order-actions button:has-text('{label}')")
    browser("shows", "dialog h2", title)


async def test_what_is_to_ship_is_packed_and_shipped_and_a_second_window_sees_it(
    browser: Browser, shop: Shop, db: None
) -> None:
    await stocked("MUG")
    await stocked("JUG")
    order_id, number = await ordered(MUG=3, JUG=1)
    token = await make.token(name="anna")
    browser("open", shop.url(f"order?number={number}", token))
    browser("shows", ".order-state", "To pack")
    browser("window", shop.url("orders", token))
    browser("shows", f"{row(number)} .to-ship", "4")
    browser("shows", f"{row(number)} .contents", "3 × Mug, Jug")

    browser("click", f"{row(number)} button.more")
    browser("click", ".menu button:has-text('Pack')")
    browser("shows", "dialog", "Pack in Berlin")
    browser("fill", f"{units('JUG')} input", "0")
    browser("fill", f"{units('MUG')} input", "4")
    browser("press", "Enter")
    browser("shows", f"{units('MUG')} .field-error", "4 of MUG cannot be packed in BERLIN: only 3 can.")
    browser("fill", f"{units('MUG')} input", "0")
    browser("press", "Enter")
    browser("shows", "dialog .trouble", "Enter a quantity for at least one item.")
    browser("fill", f"{units('MUG')} input", "2")
    browser("press", "Enter")

    browser("shows", ".notice", "is packed in Berlin: 2 units.")
    shipment = await Shipment.get(order_id=order_id)
    browser("click", ".notice button:has-text('Ship')")
    browser("shows", "dialog", f"Ship S{100_000 + shipment.id}")
    browser("fill", "dialog .field:has-text('Tracking') input", "JD 0001")
    browser("lose")
    browser("press", "Enter")
    browser("shows", "dialog .trouble", "it is not known whether this was saved")
    browser("click", "dialog button:has-text('Send again')")
    browser("shows", "dialog .trouble", "is shipped already. It may have been saved when you first sent it")
    browser("press", "Escape")

    browser("shows", f"{row(number)} .to-ship", "2")
    assert browser("complaints") == []

    browser("front", 0)
    browser("shows", f"{line('MUG')} .shipped", "2")
    browser("shows", f"{line('MUG')} .places", "1 on hand in Berlin")
    browser("shows", ".order [aria-label=Shipments] .tracking", "JD 0001")
    browser("shows", ".order-state", "To pack")
    assert await life.units(order_id) == [
        ("BERLIN", 1, "ON_HAND"),
        ("BERLIN", 2, "SHIPPED"),
        ("BERLIN", 1, "ON_HAND"),
    ]


async def test_one_order_is_moved_packed_unpacked_canceled_and_returned(browser: Browser, shop: Shop, db: None) -> None:
    await stocked("VASE", 12, lyon=2)
    order_id, number = await ordered(VASE=4)
    browser("open", shop.url(f"order?number={number}", await make.token(name="bert")))

    act(browser, "Move", "Move to another warehouse")
    browser("press", "Enter")
    browser("shows", f"{units('VASE')} .field-error", "Only 2 of VASE available in LYON")
    browser("fill", f"{units('VASE')} input", "2")
    browser("press", "Enter")
    browser("shows", ".notice", "are moved")
    browser("shows", f"{line('VASE')} .places", "2 on hand in Lyon")

    act(browser, "Pack in Lyon", "Pack in Lyon")
    browser("press", "Enter")
    browser("shows", ".order [aria-label=Shipments] .state", "Packed")
    browser("click", ".order button:has-text('Unpack')")
    browser("click", "dialog .first")
    browser("shows", ".order [aria-label=Shipments] .state", "Unpacked")
    shipped = await life.ship_all(order_id, "LYON")
    browser("shows", f"{line('VASE')} .shipped", "2")
    browser("shows", ".order [aria-label=Shipments]", shipped)

    act(browser, "Cancel items", "Cancel items")
    browser("fill", f"{units('VASE')} input", "1")
    browser("click", "dialog .check input")
    browser("shows", ".preview", "Units on hand are written off.")
    browser("click", "dialog .first")
    browser("shows", f"{line('VASE')} .canceled", "1")
    assert await life.figures("VASE") == life.Figures(on_hand=10)

    act(browser, "Return", "Return items")
    browser("fill", f"{units('VASE')} input", "3")
    browser("press", "Enter")
    browser("shows", f"{units('VASE')} .field-error", "3 of VASE cannot be returned: only 2 can.")
    browser("fill", f"{units('VASE')} input", "2")
    browser("choose", "dialog select", "yes")
    browser("click", "dialog .first")
    browser("shows", f"{line('VASE')} .returned", "2")
    assert await life.figures("VASE", "LYON") == life.Figures(on_hand=2)

    act(browser, "Cancel items", "Cancel items")
    browser("click", "dialog .first")
    browser("shows", ".order-state", "Returned")
    assert browser("texts", ".order-actions button") == []
    assert browser("complaints") == []


async def test_a_parked_order_is_tried_again(browser: Browser, shop: Shop, db: None) -> None:
    await stocked("BOWL", 1)
    order_id, number = await ordered(BOWL=2)
    browser("open", shop.url("orders?show=parked", await make.token(name="carl")))
    browser("click", f"{row(number)} a")
    browser("shows", ".order-state", "Parked")
    assert browser("evaluate", "document.querySelector('.nav [aria-current]').textContent") == "Orders"

    act(browser, "Try again", "Try to place it again")
    browser("click", "dialog .first")
    browser("shows", "dialog .trouble", "Only 1 of BOWL")
    await make.stock("BOWL", "BERLIN", 2)
    browser("click", "dialog .first")

    browser("shows", ".notice", f"Order {number} is placed.")
    browser("shows", ".order-state", "To pack")
    assert await life.units(order_id) == [("BERLIN", 2, "ON_HAND")]


async def test_orders_are_found_by_state_warehouse_and_text_page_by_page(
    browser: Browser, shop: Shop, db: None
) -> None:
    await stocked("TRAY", 60)
    await stocked("LAMP", 1)
    await make.setting(product="LAMP", backorders=BackorderMode.ALLOW)
    numbers = [(await ordered(TRAY=1))[1] for _ in range(50)]
    last_id, last = await ordered(TRAY=1)
    _, waits = await ordered(LAMP=2)
    _, later = await ordered(LAMP=1)
    browser("open", shop.url("orders?q=tray", await make.token(name="dora")))
    browser("shows", ".card-head", "51 orders, oldest first")
    assert browser("texts", ".unseen[role=status]") == ["51 orders, oldest first"]
    assert browser("texts", ".list .name") == numbers
    browser("click", ".pager a:has-text('Next')")
    browser("shows", ".pager", "Page 2 of 2")
    browser("says", ".list .name", last)
    await life.cancel(last_id)
    browser("shows", ".card-head", "50 orders, oldest first")
    browser("gone", ".pager")
    assert browser("texts", ".list .name") == numbers
    assert browser("url") == shop.url("orders?q=tray")

    browser("fill", "[type=search]", waits)
    browser("says", ".list .name", waits)
    browser("shows", f"{row(waits)} .backordered", "1")
    browser("shows", f"{row(waits)} .backordered", "no date")
    browser("fill", "[type=search]", later)
    browser("shows", ".sentence", "No such order matches.")
    browser("evaluate", "document.querySelector('.sentence a').focus()")
    await ordered(TRAY=1)
    assert browser("evaluate", FOCUS_AFTER_READING) == "Search all orders"
    browser("click", ".sentence a")
    browser("says", ".list .name", later)
    browser("shows", f"{row(later)} .state", "Waiting for stock")

    browser("click", ".chip:has-text('Waiting')")
    browser("says", ".list .name", later)
    browser("choose", ".tools select", "LYON")
    browser("shows", ".sentence", "No such order matches.")
    browser("evaluate", "document.querySelector('.chip').href = './orders?q=%00'")
    browser("click", ".chip:has-text('To ship')")
    browser("shows", ".sentence", "Texts must not contain NUL characters")
    browser("gone", ".list")
    # A cursor that was cut off leads to the first page.
    browser("evaluate", "document.querySelector('.chip').href = './orders?q=tray&after=nowhere&page=2'")
    browser("click", ".chip:has-text('To ship')")
    browser("shows", ".card-head", "51 orders, oldest first")
    assert browser("url") == shop.url("orders?q=tray")
    assert browser("complaints") == []


async def test_who_may_only_look_is_offered_no_actions(browser: Browser, shop: Shop, db: None) -> None:
    await stocked("APRON")
    _, number = await ordered(APRON=1)
    browser("open", shop.url("orders?q=apron", await make.token("inventory:read", "orders:read", name="looks")))
    browser("present", row(number))
    assert browser("texts", ".list button") == []
    browser("click", f"{row(number)} a")
    browser("shows", ".order-state", "To pack")
    assert browser("texts", ".order button") == []

    browser("open", shop.url(f"order?number={number}&after=x", await make.token("inventory:read", name="sees less")))
    browser(
        "shows", ".card:has(h1:text-is('Order'))", "This token may not see this page: it lacks the scope orders:read."
    )
    assert browser("texts", ".nav a:has-text('Orders')") == []
    browser("click", ".nav a:has-text('Overview')")
    browser("shows", "h1", "Overview")
    assert browser("complaints") == []


async def test_nothing_stands_in_the_way_of_people(browser: Browser, shop: Shop, db: None) -> None:
    await stocked("CARAFE", 2)
    await make.setting(product="CARAFE", backorders=BackorderMode.ALLOW)
    order_id, number = await ordered(CARAFE=3)
    browser("open", shop.url("orders?q=carafe", await make.token(name="gina")))
    browser("emulate", {"reducedMotion": "reduce"})
    browser("present", row(number))
    found = {"list": barriers(browser)}
    browser("size", 1280, 900)
    browser("evaluate", "document.querySelector('.list .name').focus()")
    browser("press", "Tab")
    browser("press", "Enter")
    browser("shows", ".menu", "Pack")
    browser("press", "Enter")
    browser("shows", "dialog", "A shipment with units on backorder waits for them.")
    browser("press", "x")
    browser("press", "Enter")
    browser("shows", ".field-error", "Enter a number")
    found["dialog"] = barriers(browser)
    browser("press", "Escape")
    browser("gone", "dialog")
    browser("click", f"{row(number)} a")
    browser("shows", f"{line('CARAFE')} .places", "1 on backorder in Berlin, no date")
    await life.pack(order_id)
    browser("shows", ".order-state", "Waiting for stock")
    found["order"] = barriers(browser)

    assert found == {"list": {}, "dialog": {}, "order": {}}
