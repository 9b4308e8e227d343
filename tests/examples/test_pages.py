"""The examples' pages in a real browser: they show what changes elsewhere, and undo nothing that others did."""

import asyncio
from pathlib import Path

import make
import server
from gqlstock.rules.catalog import Image
from gqlstock.store import catalog
from gqlstock.store.inventory import InventoryLevel, StockMovement
from terminal import running
from visitor import needs_chromium, pages, person

EXAMPLES = Path(__file__).parent.parent.parent / "examples"


async def on_hand(sku: str) -> str:
    item = (await catalog.by_sku([sku]))[sku]
    return str((await InventoryLevel.get(item_id=item.id)).on_hand.normalize())


@needs_chromium
async def test_the_storefront_shows_what_can_be_sold_as_it_changes(
    db: None, database_env: dict[str, str], tmp_path: Path
) -> None:
    await make.shop()
    with pages(EXAMPLES / "storefront") as site, pages(EXAMPLES.parent / "src/gqlstock/cli/demo/drawings") as drawings:
        await make.product("MUG", images=[Image(f"{drawings}/mug.svg", "A mug")])
        await make.product("SHIRT", images=[Image(f"{drawings}/t-shirt.svg")], options={"Size": ["S", "M"]})
        await make.stock("MUG", on_hand=9)
        await make.stock("SHIRT-S", on_hand=1)
        await make.setting(product="MUG", only_x_left_threshold=3)
        env = {**database_env, "GQLSTOCK_CORS_ORIGINS": site}
        async with server.running(env, tmp_path) as started, person() as shopper:
            await shopper.opens(f"{site}/?api={started.url}")

            await shopper.sees('[data-sku="MUG"] .state', "In stock")
            await shopper.sees('[data-sku="SHIRT"] .state', "Choose yours")
            broken = await shopper.do("broken")
            await make.stock("MUG", on_hand=2)
            await shopper.sees('[data-sku="MUG"] .state', "Only 2 left")
            await make.stock("MUG", on_hand=0)
            await shopper.sees('[data-sku="MUG"] .state', "Sold out")

            server.kill(started)
            await make.stock("MUG", on_hand=40)
            async with server.running(env, tmp_path, started.port):
                await shopper.sees('[data-sku="MUG"] .state', "In stock")

    assert broken == []


@needs_chromium
async def test_the_storefront_of_the_demo_is_full_and_goes_on_by_itself() -> None:
    port = server.free_port()
    with running("demo", "--port", str(port), env={}) as demo:
        assert demo.stdout is not None
        await asyncio.to_thread(lambda: next(line for line in iter(demo.stdout.readline, "") if "Ctrl-C" in line))
        async with person() as shopper:
            await shopper.opens(f"http://127.0.0.1:{port}/storefront/")
            await shopper.sees('[data-sku="GIFT-VOUCHER"] .state', "In stock")
            broken = await shopper.do("broken")
            await shopper.do("changes", "#shelf")

    assert broken == []


@needs_chromium
async def test_the_admin_page_undoes_no_sale_by_a_count(db: None, database_env: dict[str, str], tmp_path: Path) -> None:
    await make.shop()
    await make.product("MUG", name="Mug")
    await make.stock("MUG", on_hand=10)
    token = await make.token("inventory:read", "inventory:write", "catalog:read", name="Mara")
    with pages(EXAMPLES / "admin") as site:
        env = {**database_env, "GQLSTOCK_CORS_ORIGINS": site}
        async with server.running(env, tmp_path) as started, person() as admin:
            await admin.opens(f"{site}/?api={started.url}")
            await admin.fills("#token", token)
            await admin.fills("#sku", "MUG")
            await admin.clicks("#find button")
            await admin.sees('[data-warehouse="BERLIN"] .on-hand', "10")
            await make.order("MUG", 3)

            await admin.fills(".counted", "10")
            await admin.clicks(".count")
            await admin.sees("#said", "BERLIN: while you counted, 10 became 7. Look again, and save what is there now.")
            refused = await on_hand("MUG")
            await admin.fills(".counted", "6")
            await admin.clicks(".count")
            await admin.sees("#said", "BERLIN: 6 on hand.")
            counted = await on_hand("MUG")
            await admin.fills(".delta", "-2")
            await admin.clicks(".adjust")
            await admin.sees("#said", "BERLIN: 4 on hand.")

    assert (refused, counted, await on_hand("MUG")) == ("7", "6", "4")
    last = await StockMovement.all().order_by("-id").first()
    assert last is not None
    assert (last.reason, last.actor, last.quantity) == ("Booked by hand", "Mara", -2)
