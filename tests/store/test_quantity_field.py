from decimal import Decimal

import pytest
from tortoise.expressions import F
from tortoise.functions import Max, Min

from gqlstock.store.db.fields import Total, from_units, to_units
from gqlstock.store.inventory import InventoryLevel
from support import shop_builders as make


@pytest.fixture
async def levels(db: None) -> list[int]:
    """Levels of 0.1, 2.5, 10 and -3 units, by id."""
    await make.warehouse()
    made = []
    for sku, units in (("A", "0.1"), ("B", "2.5"), ("C", "10"), ("D", "-3")):
        await make.product(sku)
        level_id = await make.stock(sku, on_hand=1)
        await InventoryLevel.filter(id=level_id).update(on_hand=Decimal(units))
        made.append(level_id)
    return made


async def on_hand(level_id: int) -> Decimal:
    return (await InventoryLevel.get(id=level_id)).on_hand


@pytest.mark.parametrize("text", ["0", "0.1", "-0.0001", "12345.6789", "99999999999.9999", "-99999999999.9999"])
async def test_what_was_written_is_read_back_to_the_last_place(levels: list[int], text: str) -> None:
    await InventoryLevel.filter(id=levels[0]).update(on_hand=Decimal(text))

    assert await on_hand(levels[0]) == Decimal(text)


async def test_a_tenth_added_ten_times_in_sql_is_one(levels: list[int]) -> None:
    await InventoryLevel.filter(id=levels[0]).update(on_hand=Decimal(0))

    for _ in range(10):
        await InventoryLevel.filter(id=levels[0]).update(on_hand=F("on_hand") + Decimal("0.1"))

    assert await on_hand(levels[0]) == Decimal(1)


async def test_an_increment_in_sql_loses_no_place_at_the_top_of_the_range(levels: list[int]) -> None:
    await InventoryLevel.filter(id=levels[0]).update(on_hand=Decimal("99999999999.9998"))

    await InventoryLevel.filter(id=levels[0]).update(on_hand=F("on_hand") + Decimal("0.0001"))

    assert await on_hand(levels[0]) == Decimal("99999999999.9999")


async def test_a_decrement_in_sql_goes_below_zero(levels: list[int]) -> None:
    await InventoryLevel.filter(id=levels[1]).update(on_hand=F("on_hand") - Decimal("2.5001"))

    assert await on_hand(levels[1]) == Decimal("-0.0001")


async def test_two_columns_are_added_as_they_are(levels: list[int]) -> None:
    await InventoryLevel.filter(id=levels[1]).update(reserved=Decimal("0.25"))

    await InventoryLevel.filter(id=levels[1]).update(on_hand=F("on_hand") + F("reserved"))

    assert await on_hand(levels[1]) == Decimal("2.75")


async def test_quantities_compare_as_numbers_not_as_text(levels: list[int]) -> None:
    above = await InventoryLevel.filter(on_hand__gt=Decimal("2.4999")).order_by("id").values_list("id", flat=True)
    below = await InventoryLevel.filter(on_hand__lte=Decimal("0.1")).order_by("id").values_list("id", flat=True)

    assert above == [levels[1], levels[2]]
    assert below == [levels[0], levels[3]]


async def test_quantities_sort_as_numbers(levels: list[int]) -> None:
    found = await InventoryLevel.all().order_by("on_hand").values_list("on_hand", flat=True)

    assert found == [Decimal(-3), Decimal("0.1"), Decimal("2.5"), Decimal(10)]


async def test_a_sum_is_exact_and_a_decimal(levels: list[int]) -> None:
    (found,) = await InventoryLevel.all().annotate(total=Total("on_hand")).values_list("total", flat=True)

    assert found == Decimal("9.6")
    assert isinstance(found, Decimal)


async def test_a_sum_over_no_rows_is_none(levels: list[int]) -> None:
    (found,) = await InventoryLevel.filter(id=0).annotate(total=Total("on_hand")).values_list("total", flat=True)

    assert found is None


async def test_sums_of_groups_are_apart(levels: list[int]) -> None:
    found = await InventoryLevel.all().annotate(total=Total("on_hand")).group_by("item_id").values_list("total")

    assert sorted(found) == [(Decimal(-3),), (Decimal("0.1"),), (Decimal("2.5"),), (Decimal(10),)]


async def test_the_least_and_the_most_are_quantities(levels: list[int]) -> None:
    found = await InventoryLevel.all().annotate(least=Min("on_hand"), most=Max("on_hand")).values("least", "most")

    assert found == [{"least": Decimal(-3), "most": Decimal(10)}]


@pytest.mark.parametrize("value", [5, 2.5, "5"])
async def test_only_a_decimal_is_written_as_a_quantity(levels: list[int], value: object) -> None:
    with pytest.raises(TypeError, match="A quantity must be a Decimal"):
        await InventoryLevel.filter(id=levels[0]).update(on_hand=value)


async def test_a_fifth_place_is_refused_never_rounded(levels: list[int]) -> None:
    with pytest.raises(ValueError, match="more than 4 decimal places"):
        await InventoryLevel.filter(id=levels[0]).update(on_hand=Decimal("0.00001"))

    assert await on_hand(levels[0]) == Decimal("0.1")


@pytest.mark.parametrize(("text", "units"), [("1", 10_000), ("0.0001", 1), ("-2.5", -25_000), ("0", 0)])
def test_ten_thousandths_there_and_back(text: str, units: int) -> None:
    assert to_units(Decimal(text)) == units
    assert from_units(units) == Decimal(text)


def test_whole_quantities_come_back_without_a_fraction() -> None:
    assert str(from_units(50_000)) == "5"
    assert str(from_units(-50_000)) == "-5"
    assert str(from_units(25_000)) == "2.5000"
