"""Two processes write overlapping products at once: each call succeeds, each SKU exists once, each product is of one call."""

import asyncio
import os
import random
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from gqlstock.services import verification
from gqlstock.store.db import sql
from support import server_processes
from support import shop_builders as make

ON_POSTGRES = bool(os.environ.get("GQLSTOCK_TEST_DATABASE_URL"))
only_on_postgres = pytest.mark.skipif(not ON_POSTGRES, reason="needs GQLSTOCK_TEST_DATABASE_URL")

UPSERT = """mutation ($input: UpsertProductsInput!) {
  upsertProducts(input: $input) { products { id sku } userErrors { code message path } }
}"""
SETTINGS = (
    "mutation ($input: SetInventorySettingsInput!) { setInventorySettings(input: $input) { userErrors { code } } }"
)
ADJUST = "mutation ($input: AdjustStockInput!) { adjustStock(input: $input) { userErrors { code } } }"
RENAME = "mutation ($input: UpdateProductInput!) { updateProduct(input: $input) { userErrors { code } } }"
SIZES = ("S", "M", "L")


def product(sku: str, stamp: str) -> dict[str, Any]:
    """A product whose rows all carry the stamp of the call."""
    made = [
        {
            "sku": f"{sku}-{size}",
            "barcode": stamp,
            "options": [{"name": "Size", "value": size}],
            "settings": {"availabilityRange": stamp},
        }
        for size in SIZES
    ]
    return {
        "sku": sku,
        "name": f"Product {sku[0]}",
        "barcode": stamp,
        "tracking": "TRACK_WITH_OPTIONS",
        "options": [{"name": "Size", "values": [{"name": size} for size in SIZES]}],
        "settings": {"availabilityRange": stamp},
        "combinations": made,
    }


async def stamps(skus: Sequence[str]) -> dict[str, set[tuple[str, str]]]:
    """The barcodes and settings of each product and its combinations."""
    found = await sql.query(
        """SELECT COALESCE(p.sku, i.sku) AS sku, i.barcode, o.values_set AS own FROM item i
           LEFT JOIN item p ON p.id = i.product_id
           JOIN setting_override o ON o.owner_id = i.id AND o.scope IN ('PRODUCT', 'COMBINATION')"""
    )
    return {sku: {(one["barcode"], str(one["own"])) for one in found if one["sku"] == sku} for sku in skus}


@only_on_postgres
async def test_overlapping_upserts_of_two_processes_all_succeed(
    db: None, database_env: dict[str, str], tmp_path: Path
) -> None:
    await make.shop()
    token = await make.token()
    skus = [f"{letter}{number}" for letter in "ABC" for number in range(8)]
    chosen = random.Random(7)

    async with (
        server_processes.running(database_env, tmp_path) as one,
        server_processes.running(database_env, tmp_path) as two,
        server_processes.client(token) as http,
    ):

        async def upsert(client: int) -> None:
            for number in range(6):
                found = chosen.sample(skus, 12)
                request = {"products": [product(sku, f"{client}-{number}-") for sku in found]}
                payload = await server_processes.ask(http, (one, two)[client % 2], UPSERT, input=request)
                assert payload["upsertProducts"]["userErrors"] == []
                assert [made["sku"] for made in payload["upsertProducts"]["products"]] == found

        async def sell() -> None:
            # Until the item exists this is refused; what matters is that it neither fails nor makes others fail.
            for number in range(20):
                changes = [{"sku": f"{sku}-M", "warehouse": "BERLIN", "delta": 1} for sku in chosen.sample(skus, 5)]
                await server_processes.ask(http, (one, two)[number % 2], ADJUST, input={"changes": changes})
                sku = chosen.choice(skus)
                change = {"scope": {"product": sku}, "settings": {"notifyBelow": number}}
                await server_processes.ask(http, (two, one)[number % 2], SETTINGS, input=change)
                await server_processes.ask(http, (two, one)[number % 2], RENAME, input={"sku": sku, "description": "x"})

        await asyncio.gather(*(upsert(client) for client in range(6)), sell())
        of_one_call = {sku: len({barcode for barcode, _ in found}) for sku, found in (await stamps(skus)).items()}
        last = [product(sku, "last") for sku in skus]
        await server_processes.ask(http, one, UPSERT, input={"products": last[::-1]})

    assert of_one_call == dict.fromkeys(skus, 1)
    items = await sql.query("SELECT sku, product_id FROM item WHERE deleted_at IS NULL")
    assert Counter(item["sku"] for item in items) == Counter(
        sku for product_sku in skus for sku in (product_sku, *(f"{product_sku}-{size}" for size in SIZES))
    )
    assert {sku: {barcode for barcode, _ in found} for sku, found in (await stamps(skus)).items()} == {
        sku: {"last"} for sku in skus
    }
    assert await verification.verify() == []


@only_on_postgres
async def test_of_two_calls_with_one_key_in_two_processes_one_writes(
    db: None, database_env: dict[str, str], tmp_path: Path
) -> None:
    token = await make.token()
    async with (
        server_processes.running(database_env, tmp_path) as one,
        server_processes.running(database_env, tmp_path) as two,
        server_processes.client(token) as http,
    ):
        for number in range(8):
            products = [product(f"P{number}-{place}", "once") for place in range(5)]
            request = {"idempotencyKey": f"key {number}", "products": products}
            answers = await asyncio.gather(
                *(server_processes.ask(http, server, UPSERT, input=request) for server in (one, two, one, two))
            )
            assert all(answer == answers[0] for answer in answers)
            assert answers[0]["upsertProducts"]["userErrors"] == []

    assert await sql.query("SELECT COUNT(*) AS items, COUNT(DISTINCT sku) AS skus FROM item") == [
        {"items": 8 * 5 * 4, "skus": 8 * 5 * 4}
    ]
    entries = await sql.query(
        "SELECT COUNT(*) AS entries, COUNT(DISTINCT subject) AS items FROM outbox WHERE topic = 'ITEM'"
    )
    assert entries == [{"entries": 8 * 5 * 4, "items": 8 * 5 * 4}]
