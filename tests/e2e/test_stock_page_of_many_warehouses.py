"""The stock page of a shop with more warehouses than have room for a column each."""

import asyncio

import pytest

from gqlstock.services import catalog
from support import shop_builders as make
from support.browsed_shop import Shop
from support.browser import Browser, barriers, needs_chromium

pytestmark = needs_chromium

WAREHOUSES = ["BERLIN", "LYON", "OSLO", "POZNAN"]
TOTAL = ".list tbody .on-hand"


@pytest.fixture(autouse=True)
async def mug(db: None) -> None:
    await make.product("MUG")
    for on_hand, code in enumerate(WAREHOUSES, start=7):
        await make.stock("MUG", code, on_hand)


async def test_there_is_a_total_that_opens_by_warehouse(browser: Browser, shop: Shop) -> None:
    browser("open", shop.url("stock", await make.token(name="anna")))
    browser("emulate", {"reducedMotion": "reduce"})
    browser("shows", TOTAL, "34")
    browser("click", ".sort:has-text('SKU')")
    browser("gone", "[aria-busy]")

    # A double click opens and closes.
    browser("evaluate", "[1, 2].forEach(() => document.querySelector('.list .open').click())")
    await asyncio.sleep(0.5)
    browser("gone", ".detail")

    browser("click", f"{TOTAL} button")

    browser("shows", ".detail", "Oslo")
    assert [entry.split() for entry in browser("texts", ".detail li")] == [
        ["Berlin:", "7"],
        ["Lyon:", "8"],
        ["Oslo:", "9"],
        ["Poznan:", "10"],
    ]
    assert browser("evaluate", "document.activeElement.ariaExpanded") == "true"
    assert barriers(browser) == {}

    await make.stock("MUG", "OSLO", 19)

    browser("shows", ".detail li:has-text('Oslo')", "19")
    browser("shows", TOTAL, "44")
    assert browser("evaluate", "document.activeElement.ariaExpanded") == "true"

    browser("click", f"{TOTAL} button")

    browser("gone", ".detail")

    browser("size", 1280, 900)
    browser("choose", "select[aria-label=Warehouse]", "OSLO")

    browser("shows", "th.on-hand", "Oslo")
    browser("shows", TOTAL, "44")
    assert browser("texts", TOTAL) == ["19", "44 ▸"]

    await catalog.update_product("MUG", {"new_sku": "CUP"})

    browser("says", ".list .sku", "CUP")
    browser("click", ".list button.more")
    browser("click", ".menu button:has-text('Adjust')")
    browser("shows", "dialog", "Mug · CUP")
    browser("press", "Escape")
    await make.stock("CUP", "OSLO", 20)
    browser("shows", TOTAL, "45")
    assert browser("complaints") == []
