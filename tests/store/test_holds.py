"""Which holds have expired: SQL says what the rule says."""

import itertools
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from gqlstock.rules import holds as rules
from gqlstock.rules.filters import HoldFilter
from gqlstock.rules.holds import StockHoldState
from gqlstock.store import holds, levels
from gqlstock.store.holds import ExpiringUnits, HeldUnits, StockHold
from gqlstock.store.inventory import InventoryLevel
from gqlstock.store.warehouses import Website
from support import shop_builders as make

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
TICK = timedelta(microseconds=1)


@pytest.mark.parametrize("state", StockHoldState)
@pytest.mark.parametrize("expires_at", [NOON - TICK, NOON, NOON + TICK])
async def test_sql_and_the_rule_agree_on_what_has_expired(
    db: None, state: StockHoldState, expires_at: datetime
) -> None:
    await make.shop()
    await make.product("MUG")
    level_id = await make.stock("MUG", on_hand=5)
    website = await Website.get(code="shop")
    given = {"state": state, "expires_at": expires_at, "created_at": NOON, "address": "10.0.0.1"}
    await StockHold.create(id=7, website_id=website.id, **given)
    await HeldUnits.create(hold_id=7, level_id=level_id, quantity=Decimal(2))

    is_expired = rules.is_expired(state, expires_at, NOON)

    assert await holds.expired(NOON, 10) == ([7] if is_expired else [])
    is_active = state is StockHoldState.ACTIVE
    expiring = ExpiringUnits(Decimal(2), None) if is_expired else ExpiringUnits(Decimal(0), expires_at)
    assert await holds.expiring_units([level_id], NOON) == ({level_id: expiring} if is_active else {})
    holds_something = rules.state(state, expires_at, NOON) is StockHoldState.ACTIVE
    assert await holds.active_of("10.0.0.1", NOON) == int(holds_something)
    for states in itertools.chain.from_iterable(itertools.combinations(StockHoldState, n) for n in range(5)):
        found = await (await holds.matching(HoldFilter(states=states), NOON))
        assert [one.id for one in found] == ([7] if rules.state(state, expires_at, NOON) in states else [])


async def test_a_level_is_read_without_what_an_expired_hold_keeps_wherever_it_is_read(db: None) -> None:
    await make.shop()
    await make.product("MUG")
    level_id = await make.stock("MUG", on_hand=5)
    website = await Website.get(code="shop")
    await StockHold.create(id=7, website_id=website.id, expires_at=NOON - timedelta(days=9_000), created_at=NOON)
    await HeldUnits.create(hold_id=7, level_id=level_id, quantity=Decimal(2))
    await InventoryLevel.filter(id=level_id).update(held=Decimal(2), available=Decimal(3))

    one = (await levels.levels([level_id]))[level_id]

    assert (one.held, one.available) == (0, 5)
    assert await levels.levels_of([one.item_id]) == {one.item_id: [one]}
    assert await levels.levels_in(one.warehouse_id, [one.item_id]) == {one.item_id: one}
    assert (await levels.of_items([one.item_id], NOON)).levels == [one]
