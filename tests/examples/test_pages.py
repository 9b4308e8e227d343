"""The examples' pages in a real browser: they show what changes elsewhere, and undo nothing that others did."""

import asyncio
import contextlib
import functools
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from gqlstock.rules.catalog import Image
from gqlstock.rules.scopes import SYSTEM
from gqlstock.rules.settings import BackorderMode
from gqlstock.services import receive, ship
from gqlstock.services.receive import AnnounceStockRequest
from gqlstock.services.ship import CreateShipmentRequest
from gqlstock.services.stock_edits import StockLine
from gqlstock.store import catalog
from gqlstock.store.inventory import InventoryLevel, StockMovement
from support import server_processes
from support import shop_builders as make
from support.browser import Browser, needs_chromium
from support.command_line import running

pytestmark = [pytest.mark.long, needs_chromium]

EXAMPLES = Path(__file__).parent.parent.parent / "examples"


@contextlib.contextmanager
def pages(directory: Path) -> Iterator[str]:
    """Where the files of a directory are served, as ``python -m http.server`` does it."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            """Nobody reads it."""

    with ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=directory)) as serving:
        # It looks that often whether it is to end.
        threading.Thread(target=serving.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{serving.server_address[1]}"
        serving.shutdown()


async def on_hand(sku: str) -> str:
    item = (await catalog.by_sku([sku]))[sku]
    return str((await InventoryLevel.get(item_id=item.id)).on_hand.normalize())


async def announce(sku: str, expected_at: datetime) -> None:
    """5 of an item are on their way to BERLIN."""
    await receive.announce(SYSTEM, AnnounceStockRequest("BERLIN", (StockLine(sku, Decimal(5)),), expected_at))


async def test_the_storefront_shows_what_can_be_sold_as_it_changes(
    browser: Browser, db: None, database_env: dict[str, str], tmp_path: Path
) -> None:
    await make.shop()
    with pages(EXAMPLES / "storefront") as site, pages(EXAMPLES.parent / "src/gqlstock/cli/demo/drawings") as drawings:
        await make.product("MUG", images=[Image(f"{drawings}/mug.svg", "A mug")])
        await make.product("SHIRT", images=[Image(f"{drawings}/t-shirt.svg")], options={"Size": ["S", "M"]})
        await make.stock("MUG", on_hand=9)
        await make.stock("SHIRT-S", on_hand=1)
        await make.setting(product="MUG", only_x_left_threshold=3)
        env = {**database_env, "GQLSTOCK_CORS_ORIGINS": site}
        async with server_processes.running(env, tmp_path) as started:
            browser("open", f"{site}/?api={started.url}")

            browser("says", '[data-sku="MUG"] .state', "In stock")
            browser("says", '[data-sku="SHIRT"] .state', "Choose yours")
            broken = browser("broken")
            await make.stock("MUG", on_hand=2)
            browser("says", '[data-sku="MUG"] .state', "Only 2 left")
            await make.stock("MUG", on_hand=0)
            browser("says", '[data-sku="MUG"] .state', "Sold out")

            server_processes.kill(started)
            await make.stock("MUG", on_hand=40)
            async with server_processes.running(env, tmp_path, started.port):
                browser("says", '[data-sku="MUG"] .state', "In stock")
                browser("close")

    assert (broken, browser("complaints")) == ([], [])


async def test_the_storefront_shows_the_day_by_which_an_item_leaves_or_is_back(
    browser: Browser, db: None, database_env: dict[str, str], tmp_path: Path
) -> None:
    await make.shop()
    await make.product("MUG")
    await make.product("LAMP")
    await make.stock("MUG", on_hand=0)
    await make.stock("LAMP", on_hand=0)
    await make.setting(product="MUG", backorders=BackorderMode.ALLOW_AND_NOTIFY_CUSTOMER, backorders_from_incoming=True)
    await announce("MUG", datetime(2099, 12, 3, 9, tzinfo=UTC))
    await announce("LAMP", datetime(2099, 12, 3, 9, tzinfo=UTC))
    with pages(EXAMPLES / "storefront") as site:
        env = {**database_env, "GQLSTOCK_CORS_ORIGINS": site}
        async with server_processes.running(env, tmp_path) as started:
            browser("open", f"{site}/?api={started.url}", {"locale": "en-GB"})
            browser("says", '[data-sku="MUG"] .state', "Leaves by 3 December 2099")
            browser("says", '[data-sku="LAMP"] .state', "Back on 3 December 2099")

            await make.setting(incoming_buffer_days=7)
            browser("says", '[data-sku="MUG"] .state', "Leaves by 10 December 2099")
            await make.order("MUG", 5)
            browser("says", '[data-sku="MUG"] .state', "Sold out")

            browser("open", f"{site}/?api={started.url}", {"locale": "de-DE"})
            browser("says", '[data-sku="LAMP"] .state', "Back on 10. Dezember 2099")
            browser("close")

    assert browser("complaints") == []


async def test_what_is_bought_is_shown_on_a_page_of_its_own_and_followed(
    browser: Browser, db: None, database_env: dict[str, str], tmp_path: Path
) -> None:
    await make.shop()
    await make.product("MUG")
    await make.stock("MUG", on_hand=9)
    with pages(EXAMPLES / "storefront") as site:
        env = {**database_env, "GQLSTOCK_CORS_ORIGINS": site, "GQLSTOCK_PUBLIC_ORDERS": "true"}
        async with server_processes.running(env, tmp_path) as started:
            browser("open", f"{site}/?api={started.url}")
            browser("says", '[data-sku="MUG"] .state', "In stock")
            browser("click", '[data-sku="MUG"] button')

            browser("says", "#state", "100001: We have your order")
            browser("says", "#lines li", "1 × Mug")
            packed = await ship.create(SYSTEM, CreateShipmentRequest("100001", "BERLIN"))
            browser("says", "#shipments li", "S100001: ready")
            await ship.ship(SYSTEM, f"S{100_000 + packed.ids['shipment'][0]}", "JD-1", "DHL")
            browser("says", "#state", "100001: It is on its way")
            browser("says", "#shipments li", "S100001: shipped (DHL JD-1)")

            browser("window", f"{site}/order.html?api={started.url}#another")
            browser("says", "#state", "There is no such order")
            browser("close")

    assert browser("complaints") == []


async def test_the_storefront_of_the_demo_is_full_and_goes_on_by_itself(browser: Browser) -> None:
    port = server_processes.free_port()
    with running("demo", "--port", str(port), env={}) as demo:
        assert demo.stdout is not None
        await asyncio.to_thread(lambda: next(line for line in iter(demo.stdout.readline, "") if "Ctrl-C" in line))
        browser("open", f"http://127.0.0.1:{port}/storefront/")
        browser("says", '[data-sku="GIFT-VOUCHER"] .state', "In stock")
        broken = browser("broken")
        browser("changes", "#shelf")
        browser("close")

    assert (broken, browser("complaints")) == ([], [])


async def test_the_admin_page_undoes_no_sale_by_a_count(
    browser: Browser, db: None, database_env: dict[str, str], tmp_path: Path
) -> None:
    await make.shop()
    await make.product("MUG", name="Mug")
    await make.stock("MUG", on_hand=10)
    token = await make.token("inventory:read", "inventory:write", "catalog:read", name="Mara")
    with pages(EXAMPLES / "admin") as site:
        env = {**database_env, "GQLSTOCK_CORS_ORIGINS": site}
        async with server_processes.running(env, tmp_path) as started:
            browser("open", f"{site}/?api={started.url}")
            browser("fill", "#token", token)
            browser("fill", "#sku", "MUG")
            browser("click", "#find button")
            browser("says", '[data-warehouse="BERLIN"] .on-hand', "10")
            await make.order("MUG", 3)

            browser("fill", ".counted", "10")
            browser("click", ".count")
            browser("says", "#said", "BERLIN: while you counted, 10 became 7. Look again, and save what is there now.")
            refused = await on_hand("MUG")
            browser("fill", ".counted", "6")
            browser("click", ".count")
            browser("says", "#said", "BERLIN: 6 on hand.")
            counted = await on_hand("MUG")
            browser("fill", ".delta", "-2")
            browser("click", ".adjust")
            browser("says", "#said", "BERLIN: 4 on hand.")

    assert (refused, counted, await on_hand("MUG")) == ("7", "6", "4")
    last = await StockMovement.all().order_by("-id").first()
    assert last is not None
    assert (last.reason, last.actor, last.quantity) == ("Booked by hand", "Mara", -2)
    assert browser("complaints") == []
