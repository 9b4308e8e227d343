from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from gqlstock.rules import allocation, promises, sourcing
from gqlstock.rules.allocation import Allocation, AllocationState, PlannedAllocation, RankedWarehouse
from gqlstock.rules.geo import Point
from gqlstock.rules.ledger import Level
from gqlstock.rules.settings import BackorderMode, InventoryDecrement, Settings, SourceSelection
from gqlstock.rules.sourcing import Source
from support.item_sources import arrivals

ON_HAND, BACKORDERED = AllocationState.ON_HAND, AllocationState.BACKORDERED
NO_BACKORDERS, ALLOW = BackorderMode.NO_BACKORDERS, BackorderMode.ALLOW
PRIORITY, DISTANCE = SourceSelection

BERLIN, PARIS, NEW_YORK = Point(52.52, 13.405), Point(48.8566, 2.3522), Point(40.7128, -74.006)

WHOLE_UNITS = st.integers(-20, 20).map(Decimal)
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
PARTS_OF_UNITS = st.integers(-200_000, 200_000).map(lambda count: Decimal(count).scaleb(-4))
UNITS = WHOLE_UNITS | PARTS_OF_UNITS
LEVELS = st.builds(
    Level, on_hand=UNITS, reserved=UNITS.map(abs), held=UNITS.map(abs), backordered=UNITS.map(abs)
) | st.builds(Level, on_hand=UNITS)
SUPPLY = st.lists(st.tuples(st.integers(1, 30), st.integers(1, 9)), max_size=3).map(
    lambda found: arrivals(
        *sorted(((units, NOON + timedelta(days=day)) for units, day in found), key=lambda one: one[1])
    )
)
SOURCES = st.lists(st.builds(Source, st.just(0), LEVELS, st.sampled_from(BackorderMode), SUPPLY), max_size=4).map(
    lambda found: [replace(source, warehouse_id=number) for number, source in enumerate(found, 1)]
)
SETTINGS = st.builds(
    Settings,
    out_of_stock_threshold=UNITS,
    quantity_uses_decimals=st.booleans(),
    allow_multiple_boxes=st.booleans(),
    decrement_inventory=st.sampled_from(InventoryDecrement),
    backorders_from_incoming=st.booleans(),
)
ORDERED = st.lists(UNITS.map(abs).filter(bool), min_size=1, max_size=4)


def source(on_hand=0, backorders=NO_BACKORDERS, backordered=0, warehouse_id=1):
    return Source(warehouse_id, Level(on_hand=Decimal(on_hand), backordered=Decimal(backordered)), backorders)


def sources(*found):
    """Warehouses 1, 2, 3, … with so many units each, in the order in which they give."""
    return [
        replace(one if isinstance(one, Source) else source(one), warehouse_id=number)
        for number, one in enumerate(found, 1)
    ]


def plan(*quantities, stock=(), **values):
    """The plan for an item's lines: for each a list of (warehouse, units, state), or None."""
    thresholds = {"out_of_stock_threshold": Decimal(values.pop("threshold", 0))}
    found = allocation.plan([Decimal(q) for q in quantities], Settings(**thresholds, **values), sources(*stock))
    return [
        None if parts is None else [(part.warehouse_id, part.quantity, part.state) for part in parts]
        for parts in found.parts
    ]


def site(warehouse_id=1, priority=1, location=None):
    return RankedWarehouse(warehouse_id, priority, location)


def smallest(settings):
    return Decimal("0.0001") if settings.quantity_uses_decimals else Decimal(1)


@pytest.mark.parametrize(
    ("sites", "expected"),
    [
        pytest.param([site(1, priority=2), site(2, priority=1)], [2, 1], id="the-lower-number-first"),
        pytest.param([site(9, priority=1), site(4, priority=1)], [4, 9], id="ties-by-id"),
        pytest.param([], [], id="no-warehouse"),
    ],
)
def test_warehouses_give_by_priority(sites, expected):
    in_order = allocation.in_order(sites, PRIORITY, BERLIN)

    assert [one.warehouse_id for one in in_order] == expected


@pytest.mark.parametrize(
    ("sites", "ship_to", "expected"),
    [
        pytest.param(
            [site(1, 1, NEW_YORK), site(2, 2, PARIS), site(3, 3, BERLIN)], BERLIN, [3, 2, 1], id="the-nearest-first"
        ),
        pytest.param([site(1, 1, None), site(2, 2, NEW_YORK)], BERLIN, [2, 1], id="one-without-a-location-last"),
        pytest.param([site(1, 2, None), site(2, 1, None)], BERLIN, [2, 1], id="two-without-a-location-by-priority"),
        pytest.param([site(1, 2, PARIS), site(2, 1, PARIS)], BERLIN, [2, 1], id="equally-far-by-priority"),
        pytest.param([site(1, 1, NEW_YORK), site(2, 2, BERLIN)], None, [1, 2], id="without-shipTo-by-priority"),
    ],
)
def test_warehouses_give_by_distance(sites, ship_to, expected):
    in_order = allocation.in_order(sites, DISTANCE, ship_to)

    assert [one.warehouse_id for one in in_order] == expected


@pytest.mark.parametrize(
    ("stock", "ordered", "expected"),
    [
        pytest.param([10], 4, [(1, 4, ON_HAND)], id="what-is-free"),
        pytest.param([10, 10], 4, [(1, 4, ON_HAND)], id="from-the-first-source-alone-where-that-is-enough"),
        pytest.param([3, 5], 6, [(1, 3, ON_HAND), (2, 3, ON_HAND)], id="from-the-sources-in-turn"),
        pytest.param([3, 0, 5], 6, [(1, 3, ON_HAND), (3, 3, ON_HAND)], id="past-an-empty-one"),
        pytest.param([-4, 5], 5, [(2, 5, ON_HAND)], id="one-warehouses-lack-never-eats-anothers-stock"),
        pytest.param([3, 5], 8, [(1, 3, ON_HAND), (2, 5, ON_HAND)], id="to-the-last-unit"),
        pytest.param([3, 5], 9, None, id="and-not-one-more"),
        pytest.param([], 1, None, id="from-nowhere-nothing"),
    ],
)
def test_a_line_is_taken_from_the_sources_in_turn(stock, ordered, expected):
    assert plan(ordered, stock=stock) == [expected]


@pytest.mark.parametrize(
    ("stock", "ordered", "threshold", "expected"),
    [
        pytest.param([10], 9, 1, [(1, 9, ON_HAND)], id="10-in-stock-with-threshold-1-sell-9"),
        pytest.param([10], 10, 1, None, id="and-not-10"),
        pytest.param([5, 5], 6, 4, [(1, 5, ON_HAND), (2, 1, ON_HAND)], id="it-is-left-in-the-source-that-comes-last"),
        pytest.param([5, 3], 4, 4, [(1, 4, ON_HAND)], id="and-in-the-one-before-when-that-has-too-few"),
        pytest.param([5, 3], 5, 4, None, id="all-but-the-safety-stock-is-all"),
        pytest.param(
            [source(5, ALLOW), 5], 10, 4, [(1, 5, ON_HAND), (2, 5, ON_HAND)], id="with-backorders-it-is-sold-first"
        ),
    ],
)
def test_the_safety_stock_is_left_where_it_is(stock, ordered, threshold, expected):
    assert plan(ordered, stock=stock, threshold=threshold) == [expected]


@pytest.mark.parametrize(
    ("stock", "ordered", "threshold", "expected"),
    [
        pytest.param([source(0, ALLOW)], 5, 0, [(1, 5, BACKORDERED)], id="all-of-it-waits"),
        pytest.param([source(2, ALLOW)], 5, 0, [(1, 2, ON_HAND), (1, 3, BACKORDERED)], id="the-rest-waits"),
        pytest.param(
            [2, source(1, ALLOW), source(1, ALLOW)],
            6,
            0,
            [(1, 2, ON_HAND), (2, 1, ON_HAND), (3, 1, ON_HAND), (2, 2, BACKORDERED)],
            id="in-the-first-source-that-takes-backorders-once-all-others-are-empty",
        ),
        pytest.param([source(0, ALLOW)], 10**9, 0, [(1, 10**9, BACKORDERED)], id="at-0-without-limit"),
        pytest.param([source(0, ALLOW)], 10**9, 7, [(1, 10**9, BACKORDERED)], id="over-0-without-limit"),
        pytest.param([source(0, ALLOW)], 5, -5, [(1, 5, BACKORDERED)], id="at-minus-5-five-may-wait"),
        pytest.param([source(0, ALLOW)], 6, -5, None, id="at-minus-5-six-may-not"),
        pytest.param([source(-2, ALLOW, backordered=2)], 3, -5, [(1, 3, BACKORDERED)], id="beside-2-waiting-three-may"),
        pytest.param([source(-2, ALLOW, backordered=2)], 4, -5, None, id="beside-2-waiting-four-may-not"),
        pytest.param(
            [source(-7, ALLOW, backordered=7), 3], 3, -5, [(2, 3, ON_HAND)], id="without-room-there-is-still-stock"
        ),
    ],
)
def test_the_rest_waits_within_the_room_there_is(stock, ordered, threshold, expected):
    assert plan(ordered, stock=stock, threshold=threshold) == [expected]


@pytest.mark.parametrize(
    ("stock", "ordered", "threshold", "expected"),
    [
        pytest.param([2, 4], "3.5", 0, [(2, Decimal("3.5"), ON_HAND)], id="from-the-first-source-that-can-give-it"),
        pytest.param([4, 4], "3.5", 0, [(1, Decimal("3.5"), ON_HAND)], id="from-the-first-where-both-can"),
        pytest.param([2, 4], 5, 0, None, id="never-from-two"),
        pytest.param(
            [source(2, ALLOW), 4], 3, 0, [(1, 2, ON_HAND), (1, 1, BACKORDERED)], id="its-backordered-part-included"
        ),
        pytest.param([2, source(1, ALLOW)], 3, -2, [(2, 1, ON_HAND), (2, 2, BACKORDERED)], id="within-the-room"),
        pytest.param([2, source(1, ALLOW)], 4, -2, None, id="and-not-beyond-it"),
        pytest.param([3, 4], 3, 2, [(1, 3, ON_HAND)], id="the-safety-stock-lies-last"),
        pytest.param([3, 4], 4, 2, None, id="and-is-not-given-though-the-last-has-enough"),
    ],
)
def test_a_line_that_never_splits_comes_whole_from_one_source(stock, ordered, threshold, expected):
    found = plan(ordered, stock=stock, threshold=threshold, quantity_uses_decimals=True)

    assert found == [expected]


def test_a_line_with_decimals_may_come_in_several_boxes_where_that_is_allowed():
    found = plan("5.5", stock=[2, 4], quantity_uses_decimals=True, allow_multiple_boxes=True)

    assert found == [[(1, 2, ON_HAND), (2, Decimal("3.5"), ON_HAND)]]


@pytest.mark.parametrize(
    ("stock", "ordered", "values", "expected"),
    [
        pytest.param([5], [2, 3], {}, [[(1, 2, ON_HAND)], [(1, 3, ON_HAND)]], id="both-from-the-same-units"),
        pytest.param([5], [3, 3], {}, [[(1, 3, ON_HAND)], None], id="no-unit-is-given-twice"),
        pytest.param([5], [6, 1], {}, [None, None], id="what-comes-after-a-short-line-is-not-planned"),
        pytest.param(
            [source(1, ALLOW)],
            [2, 4],
            {"threshold": -5},
            [[(1, 1, ON_HAND), (1, 1, BACKORDERED)], [(1, 4, BACKORDERED)]],
            id="both-within-the-same-room",
        ),
        pytest.param(
            [source(1, ALLOW)],
            [2, 5],
            {"threshold": -5},
            [[(1, 1, ON_HAND), (1, 1, BACKORDERED)], None],
            id="no-room-is-given-twice",
        ),
        pytest.param(
            [3, 4],
            [3, 3],
            {"quantity_uses_decimals": True},
            [[(1, 3, ON_HAND)], [(2, 3, ON_HAND)]],
            id="each-that-never-splits-from-one-of-its-own",
        ),
    ],
)
def test_lines_of_one_item_share_what_there_is(stock, ordered, values, expected):
    assert plan(*ordered, stock=stock, **values) == expected


@pytest.mark.parametrize(
    ("stock", "ordered", "threshold", "expected"),
    [
        pytest.param([source(0, ALLOW)], 5, 0, [(1, 5, ON_HAND)], id="what-would-wait-is-on-hand"),
        pytest.param([source(2, ALLOW)], 5, 0, [(1, 5, ON_HAND)], id="as-one-part-with-what-is-there"),
        pytest.param([source(2, ALLOW), 1], 5, 0, [(1, 4, ON_HAND), (2, 1, ON_HAND)], id="in-the-same-warehouses"),
        pytest.param([3], 5, 0, None, id="checked-like-any-other"),
        pytest.param([source(0, ALLOW)], 6, -5, None, id="with-the-same-room"),
    ],
)
def test_under_never_nothing_waits(stock, ordered, threshold, expected):
    found = plan(ordered, stock=stock, threshold=threshold, decrement_inventory=InventoryDecrement.NEVER)

    assert found == [expected]


def test_units_that_are_not_counted_are_allocated_whole():
    assert allocation.uncounted(Decimal(7), 3) == (PlannedAllocation(3, Decimal(7), ON_HAND),)


@pytest.mark.parametrize(
    ("ordered", "expected"),
    [
        pytest.param([2, 3], True, id="enough-for-all-lines"),
        pytest.param([2, 4], False, id="too-few-for-one"),
        pytest.param([], True, id="no-lines"),
    ],
)
def test_a_plan_fits_when_every_line_does(ordered, expected):
    found = allocation.plan([Decimal(q) for q in ordered], Settings(), sources(5))

    assert found.fits is expected


@given(SETTINGS, SOURCES)
def test_what_is_shown_as_salable_can_be_ordered_to_the_last_unit(settings, found):
    salable = sourcing.stock(settings, found).salable
    wanted = Decimal(10**9) if salable is None else salable
    assume(wanted > 0)

    assert allocation.plan([wanted], settings, found).fits


@given(SETTINGS, SOURCES)
def test_not_one_unit_more_than_is_salable_can_be_ordered(settings, found):
    salable = sourcing.stock(settings, found).salable
    assume(salable is not None)

    assert not allocation.plan([salable + smallest(settings)], settings, found).fits


@given(SETTINGS, SOURCES, ORDERED)
def test_a_line_that_may_be_split_fits_however_it_is_cut_in_lines(settings, found, lines):
    assume(not sourcing.never_splits(settings))

    together = allocation.plan([sum(lines)], settings, found).fits

    assert allocation.plan(lines, settings, found).fits is together


@given(SETTINGS, SOURCES, ORDERED)
def test_the_parts_of_a_line_are_what_was_ordered(settings, found, lines):
    planned = allocation.plan(lines, settings, found)

    for ordered, parts in zip(lines, planned.parts, strict=True):
        if parts is not None:
            assert sum(part.quantity for part in parts) == ordered
            assert all(part.quantity > 0 for part in parts)


@given(SETTINGS, SOURCES, ORDERED)
def test_no_source_gives_more_than_it_has_free(settings, found, lines):
    assume(settings.decrement_inventory is not InventoryDecrement.NEVER)
    given_of = {source.warehouse_id: Decimal(0) for source in found}

    for parts in allocation.plan(lines, settings, found).parts:
        for part in parts or ():
            given_of[part.warehouse_id] += part.quantity if part.state is ON_HAND else 0

    assert all(given_of[source.warehouse_id] <= max(source.level.available, 0) for source in found)
    assert sum(given_of.values()) <= sourcing.stock(settings, found).available


@given(SETTINGS, SOURCES, ORDERED)
def test_nothing_waits_beyond_the_room_or_where_no_backorder_is_taken(settings, found, lines):
    takes_backorders = {source.warehouse_id for source in found if source.takes_backorders}
    room = sourcing.stock(settings, found).room

    planned = allocation.plan(lines, settings, found)
    waiting = [part for parts in planned.parts for part in parts or () if part.state is BACKORDERED]

    assert takes_backorders >= {part.warehouse_id for part in waiting}
    assert room is None or sum(part.quantity for part in waiting) <= room


@given(SETTINGS, SOURCES, ORDERED)
def test_with_backorders_from_incoming_all_that_waits_has_a_date_and_is_announced(settings, found, lines):
    settings = replace(settings, backorders_from_incoming=True)

    planned = allocation.plan(lines, settings, found)
    waiting = [part for parts in planned.parts for part in parts or () if part.state is BACKORDERED]

    assert all(part.expected_at is not None for part in waiting)
    for one in found:
        here = sum(part.quantity for part in waiting if part.warehouse_id == one.warehouse_id)
        assert not here or here + promises.missing(one.level) <= sum(arrival.quantity for arrival in one.supply)


@given(SETTINGS, SOURCES, ORDERED)
def test_a_line_that_never_splits_is_never_split(settings, found, lines):
    settings = replace(settings, quantity_uses_decimals=True, allow_multiple_boxes=False)

    planned = allocation.plan(lines, settings, found)

    assert all(len({part.warehouse_id for part in parts}) == 1 for parts in planned.parts if parts is not None)


@given(SETTINGS, SOURCES, ORDERED)
def test_without_backorders_no_order_takes_more_than_was_salable(settings, found, lines):
    firm = [replace(source, backorders=NO_BACKORDERS) for source in found]
    there = sum(max(source.level.available, Decimal(0)) for source in firm)

    planned = allocation.plan(lines, settings, firm)

    taken = sum(part.quantity for parts in planned.parts for part in parts or ())
    assert taken <= max(there - max(settings.out_of_stock_threshold, 0), 0)


# ── the allocations of a line after units were moved


def allocated(allocation_id, position=0, split_from=None, state=ON_HAND, quantity=1):
    return Allocation(allocation_id, 1, 1, 1, None, position, Decimal(quantity), state, NOON, split_from)


def places(found):
    return [(one.id, one.position, one.split_from) for one in found]


def test_a_part_that_was_moved_is_the_planned_one_of_a_source_of_its_own():
    found = [allocated(7), allocated(-1, position=1, split_from=7)]

    assert places(allocation.with_moved(found, {1})) == [(7, 0, None), (-1, 1, None)]


def test_several_parts_that_were_moved_together_are_one_source_whose_oldest_part_is_the_planned_one():
    found = [allocated(7), allocated(8, 2), allocated(9, 2, split_from=7), allocated(-1, 2, split_from=7)]

    assert places(allocation.with_moved(found, {2})) == [(7, 0, None), (8, 1, None), (9, 1, 8), (-1, 1, 8)]


def test_the_sources_of_a_line_are_numbered_without_gaps():
    found = [allocated(7, 4), allocated(8, 1), allocated(9, 2), allocated(10, 3)]

    assert places(allocation.with_moved(found, {3, 4})) == [(7, 3, None), (8, 0, None), (9, 1, None), (10, 2, None)]


def test_what_is_left_where_a_planned_allocation_was_moved_still_refers_to_it():
    found = [allocated(7, 1), allocated(8, 0, split_from=7, state=BACKORDERED), allocated(9, 0, split_from=7)]

    moved = allocation.with_moved(found, {1})

    assert places(moved) == [(7, 1, None), (8, 0, 7), (9, 0, 7)]
    assert [one.planned_as for one in moved] == [7, 7, 7]
    assert allocation.split_off(moved) == {8: 7, 9: 7}


@pytest.mark.parametrize(
    ("found", "split"),
    [
        pytest.param([], {}, id="none"),
        pytest.param([allocated(7), allocated(8, 1)], {}, id="two-sources"),
        pytest.param(
            [allocated(7), allocated(8, 0, 7), allocated(9, 1), allocated(10, 0, 7)], {8: 7, 10: 7}, id="parts"
        ),
        pytest.param([allocated(7), allocated(8)], {8: 7}, id="a-part-that-says-nothing"),
        pytest.param([allocated(7), allocated(8, 1, 7)], {}, id="a-planned-one-that-refers-to-an-earlier-source"),
        pytest.param([allocated(7), allocated(8, 0, 9), allocated(9, 1)], {8: 7}, id="a-part-of-a-younger-one"),
        pytest.param([allocated(8, 0, 3)], {}, id="a-part-of-another-line"),
        pytest.param([allocated(8, 0, 7), allocated(9, 0), allocated(7, 1)], {8: 7, 9: 7}, id="a-moved-source"),
    ],
)
def test_the_oldest_allocation_of_a_source_is_the_planned_one(found, split):
    assert allocation.split_off(found) == split


@given(st.data())
def test_whatever_is_moved_the_allocations_of_a_line_are_as_verification_wants_them(data):
    """Any number of commands, each of which moves any whole and any parts of the allocations to one or two warehouses."""
    found = [allocated(number, number - 1, quantity=4) for number in range(1, data.draw(st.integers(1, 3)) + 1)]
    for _ in range(data.draw(st.integers(1, 4))):
        moved = set()
        for _ in range(data.draw(st.integers(1, 2))):
            position = max(one.position for one in found) + 1
            picked = data.draw(st.lists(st.sampled_from(found), unique_by=lambda one: one.id, min_size=1))
            for one in picked:
                index = next(number for number, other in enumerate(found) if other.id == one.id)
                if one.quantity > 1 and data.draw(st.booleans()):
                    part = replace(one, id=len(found) + 1, quantity=Decimal(1), split_from=one.planned_as)
                    found[index] = replace(one, quantity=one.quantity - 1)
                    found.append(replace(part, position=position))
                else:
                    found[index] = replace(one, position=position)
            moved.add(position)
        before = {one.id: one.planned_as for one in found if one.position not in moved}
        found = allocation.with_moved(found, moved)

        positions = {one.position for one in found}
        assert sorted(positions) == list(range(len(positions)))
        split = {one.id: one.split_from for one in found if one.split_from is not None}
        assert allocation.split_off(found) == split
        assert {one.id: one.planned_as for one in found if one.id in before} == before
