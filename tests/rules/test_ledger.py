from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gqlstock.rules import ledger
from gqlstock.rules.ledger import Change, Level, MovementKind
from gqlstock.rules.refusals import Code, InsufficientStock, Refusal, Refused, StaleQuantity
from gqlstock.rules.settings import InventoryDecrement

FIGURES = ["on_hand", "reserved", "planned", "held", "backordered", "incoming"]
UNITS = st.decimals("-1000", "1000", places=4)
CHANGES = st.builds(Change, UNITS, UNITS, UNITS, UNITS, UNITS, UNITS, st.sampled_from(MovementKind))


def level(**figures):
    return Level(**{name: Decimal(units) for name, units in figures.items()})


def change(kind=None, **figures):
    return Change(**{name: Decimal(units) for name, units in figures.items()}, kind=kind)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        pytest.param(level(on_hand=10), 10, id="what-is-on-hand"),
        pytest.param(level(on_hand=10, reserved=1), 9, id="less-what-is-reserved"),
        pytest.param(level(on_hand=10, planned=2), 8, id="less-what-is-planned"),
        pytest.param(level(on_hand=10, held=3), 7, id="less-what-is-held"),
        pytest.param(level(on_hand=10, reserved=1, planned=2, held=3), 4, id="less-all-three"),
        pytest.param(level(on_hand=10, incoming=5), 10, id="what-is-announced-is-not-there-yet"),
        pytest.param(level(on_hand=-5, backordered=5), -5, id="what-waits-is-taken-off-once"),
        pytest.param(level(on_hand=3, reserved=8, backordered=5), -5, id="below-zero-while-on-hand-is-not"),
    ],
)
def test_available_is_on_hand_less_every_claim(found, expected):
    assert found.available == expected


def test_a_change_moves_every_figure_by_its_own():
    before = level(on_hand=10, reserved=5, planned=4, held=3, backordered=2, incoming=1)

    after = ledger.apply(before, change(on_hand=-1, reserved=2, planned=-3, held=4, backordered=-2, incoming=6))

    assert after == level(on_hand=9, reserved=7, planned=1, held=7, backordered=0, incoming=7)


@given(st.lists(CHANGES, max_size=20))
def test_on_hand_is_always_the_sum_of_the_movements(changes):
    found = Level()

    for one in changes:
        found = ledger.apply(found, one)

    assert found.on_hand == sum((one.on_hand for one in changes), Decimal(0))


@given(CHANGES, CHANGES)
def test_two_changes_together_do_what_they_do_one_after_the_other(one, other):
    at_one_stroke = ledger.apply(Level(), ledger.combined(one, other))

    assert at_one_stroke == ledger.apply(ledger.apply(Level(), one), other)


@pytest.mark.parametrize(
    ("one", "other", "kind"),
    [
        pytest.param(None, None, None, id="no-movement"),
        pytest.param(MovementKind.SALE, None, MovementKind.SALE, id="the-first-ones"),
        pytest.param(None, MovementKind.SALE, MovementKind.SALE, id="the-second-ones"),
        pytest.param(MovementKind.SALE, MovementKind.SALE, MovementKind.SALE, id="one-for-both"),
    ],
)
def test_two_changes_together_are_one_movement(one, other, kind):
    assert ledger.combined(change(kind=one), change(kind=other)).kind is kind


@pytest.mark.parametrize("figure", FIGURES)
def test_no_figure_leaves_the_range_of_a_quantity(figure):
    full = level(**{figure: "99999999999.9999"})

    with pytest.raises(Refused) as refused:
        ledger.apply(full, change(**{figure: "0.0001"}))

    assert refused.value.refusals == (
        Refusal(Code.INVALID_INPUT, "The quantities of a level cannot exceed 99999999999.9999."),
    )


@pytest.mark.parametrize("figure", FIGURES)
def test_a_figure_may_reach_the_largest_quantity(figure):
    found = ledger.apply(level(), change(**{figure: "99999999999.9999"}))

    assert found == level(**{figure: "99999999999.9999"})


def test_on_hand_does_not_leave_the_range_below_zero_either():
    with pytest.raises(Refused):
        ledger.apply(level(on_hand="-99999999999.9999"), change(on_hand="-0.0001"))


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        pytest.param(
            InventoryDecrement.ON_ORDER, change(on_hand=-3, kind=MovementKind.SALE), id="ON_ORDER-sells-them-at-once"
        ),
        pytest.param(InventoryDecrement.ON_SHIPMENT, change(reserved=3), id="ON_SHIPMENT-reserves-them"),
        pytest.param(InventoryDecrement.NEVER, change(), id="NEVER-does-nothing"),
    ],
)
def test_what_ordering_three_units_does(mode, expected):
    assert ledger.effect(ledger.FulfilmentStep.ORDERED, mode, Decimal(3)) == expected


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        pytest.param(InventoryDecrement.ON_ORDER, level(on_hand=-5, backordered=5), id="ON_ORDER-leaves-minus-five"),
        pytest.param(
            InventoryDecrement.ON_SHIPMENT, level(reserved=5, backordered=5), id="ON_SHIPMENT-leaves-on-hand-at-zero"
        ),
        pytest.param(InventoryDecrement.NEVER, level(), id="NEVER-has-nobody-wait"),
    ],
)
def test_what_five_backordered_of_an_empty_level_do(mode, expected):
    after = ledger.apply(
        level(), ledger.effect(ledger.FulfilmentStep.ORDERED, mode, Decimal(5), backordered=Decimal(5))
    )

    assert after == expected


@pytest.mark.parametrize("mode", [InventoryDecrement.ON_ORDER, InventoryDecrement.ON_SHIPMENT])
def test_available_falls_by_what_was_ordered_whatever_waits_of_it(mode):
    after = ledger.apply(
        level(on_hand=2), ledger.effect(ledger.FulfilmentStep.ORDERED, mode, Decimal(5), backordered=Decimal(3))
    )

    assert after.available == -3
    assert after.backordered == 3


@pytest.mark.parametrize(
    ("found", "delta", "expected"),
    [
        pytest.param(level(on_hand=5), 3, 8, id="more"),
        pytest.param(level(on_hand=5), -3, 2, id="fewer"),
        pytest.param(level(on_hand=5), -5, 0, id="all-of-them"),
        pytest.param(level(on_hand=5, reserved=4), -3, 2, id="under-what-is-claimed"),
        pytest.param(level(on_hand=-5), 3, -2, id="up-from-below-zero"),
        pytest.param(level(on_hand=1), "-0.25", Decimal("0.75"), id="part-of-a-unit"),
    ],
)
def test_an_adjustment_changes_on_hand_by_its_delta(found, delta, expected):
    movement = ledger.adjusted(found, Decimal(delta), "TEE")

    assert movement == change(on_hand=delta, kind=MovementKind.ADJUSTMENT)
    assert ledger.apply(found, movement).on_hand == expected


@pytest.mark.parametrize(
    ("found", "delta", "refusal"),
    [
        pytest.param(
            level(on_hand=5),
            -6,
            InsufficientStock(
                message="Only 5 of TEE on hand, cannot remove 6.",
                path=("delta",),
                sku="TEE",
                requested=Decimal(6),
                salable=Decimal(5),
            ),
            id="below-an-on-hand-of-0",
        ),
        pytest.param(
            level(on_hand=-2),
            -1,
            InsufficientStock(
                message="Only -2 of TEE on hand, cannot remove 1.",
                path=("delta",),
                sku="TEE",
                requested=Decimal(1),
                salable=Decimal(0),
            ),
            id="further-below",
        ),
    ],
)
def test_an_adjustment_never_goes_below_zero(found, delta, refusal):
    with pytest.raises(Refused) as refused:
        ledger.adjusted(found, Decimal(delta), "TEE")

    assert refused.value.refusals == (refusal,)


def test_an_adjustment_by_nothing_is_invalid():
    with pytest.raises(Refused) as refused:
        ledger.adjusted(level(on_hand=5), Decimal(0), "TEE")

    assert [refusal.code for refusal in refused.value.refusals] == [Code.INVALID_INPUT]


@pytest.mark.parametrize(
    ("on_hand", "count", "moved_since", "movement", "after"),
    [
        pytest.param(5, 20, 0, 15, 20, id="a-count-of-20-over-5-writes-15"),
        pytest.param(20, 20, 0, 0, 20, id="a-count-equal-to-on-hand-changes-nothing"),
        pytest.param(-5, 20, 0, 25, 20, id="a-count-of-20-over-minus-5-writes-25"),
        pytest.param(8, 3, 0, -5, 3, id="a-count-of-fewer"),
        pytest.param(8, 10, -2, 0, 8, id="a-late-count-undoes-no-sale"),
        pytest.param(13, 10, 5, 2, 15, id="a-late-count-keeps-what-came-in-since"),
        pytest.param(2, 1, -4, -5, -3, id="a-late-count-may-leave-on-hand-below-zero"),
    ],
)
def test_a_count_states_what_was_there(on_hand, count, moved_since, movement, after):
    found = level(on_hand=on_hand)

    written = ledger.counted(found, Decimal(count), Decimal(moved_since))

    assert written == change(on_hand=movement, kind=MovementKind.COUNT)
    assert ledger.apply(found, written).on_hand == after


def test_an_import_is_a_count_by_another_name():
    written = ledger.counted(level(), Decimal(12), kind=MovementKind.IMPORT)

    assert written == change(on_hand=12, kind=MovementKind.IMPORT)


@pytest.mark.parametrize(
    "expected", [pytest.param(None, id="expecting-nothing"), pytest.param(Decimal(5), id="expecting-what-is-there")]
)
def test_compare_and_set_goes_through(expected):
    assert ledger.expect(level(on_hand=5, reserved=2), expected, "TEE", "BERLIN") is None


@pytest.mark.parametrize("expected", [Decimal(4), Decimal(0), Decimal(3)], ids=["too-few", "none", "the-available"])
def test_compare_and_set_refuses_when_on_hand_is_another(expected):
    with pytest.raises(Refused) as refused:
        ledger.expect(level(on_hand=5, reserved=2), expected, "TEE", "BERLIN")

    assert refused.value.refusals == (
        StaleQuantity(
            message=f"TEE in BERLIN has 5 on hand, not the expected {expected}.",
            path=("expectedOnHand",),
            sku="TEE",
            warehouse="BERLIN",
            expected=expected,
            actual=Decimal(5),
        ),
    )


def test_a_transfer_moves_at_most_what_is_available():
    movement = ledger.sent(level(on_hand=10, reserved=1, planned=2, held=3), Decimal(4), "TEE")

    assert movement == change(on_hand=-4, kind=MovementKind.TRANSFER_OUT)


@pytest.mark.parametrize(
    ("found", "free"),
    [
        pytest.param(level(on_hand=10, reserved=6), 4, id="of-what-is-claimed"),
        pytest.param(level(on_hand=-5, backordered=5), 0, id="of-an-oversold-level"),
        pytest.param(level(), 0, id="of-an-empty-level"),
    ],
)
def test_a_transfer_of_more_is_refused(found, free):
    with pytest.raises(Refused) as refused:
        ledger.sent(found, Decimal(5), "TEE")

    assert refused.value.refusals == (
        InsufficientStock(
            message=f"{f'Only {free}' if free else 'None'} of TEE available, 5 requested.",
            path=("quantity",),
            sku="TEE",
            requested=Decimal(5),
            salable=Decimal(free),
        ),
    )


@pytest.mark.parametrize("found", [level(on_hand=9, reserved=2, planned=1, held=2), level(on_hand=4)])
def test_what_is_free_may_be_taken(found):
    assert ledger.check_free(found, Decimal(4), "TEE", "available in PARIS") is None

    with pytest.raises(Refused) as refused:
        ledger.check_free(found, Decimal("4.5"), "TEE", "available in PARIS")

    assert refused.value.refusals == (
        InsufficientStock(
            message="Only 4 of TEE available in PARIS, 4.5 requested.",
            path=("quantity",),
            sku="TEE",
            requested=Decimal("4.5"),
            salable=Decimal(4),
        ),
    )


def test_a_transfer_loses_no_unit():
    here, there = level(on_hand=10), level(on_hand=-3, backordered=3)

    here_after = ledger.apply(here, ledger.sent(here, Decimal(4), "TEE"))
    there_after = ledger.apply(there, ledger.received(Decimal(4)))

    assert here_after.on_hand == 6
    assert there_after.on_hand == 1
    assert ledger.received(Decimal(4)).kind is MovementKind.TRANSFER_IN


def test_an_empty_level_can_be_taken_out_of_use():
    assert ledger.check_unused(level(), 0) is None


@pytest.mark.parametrize(
    ("found", "allocations", "left"),
    [
        pytest.param(level(on_hand=1), 0, "on hand 1", id="a-unit-on-hand"),
        pytest.param(level(on_hand=-1), 0, "on hand -1", id="a-unit-oversold"),
        pytest.param(level(reserved=2), 0, "reserved 2", id="reserved-units"),
        pytest.param(level(planned=3), 0, "planned 3", id="planned-units"),
        pytest.param(level(held=4), 0, "held 4", id="held-units"),
        pytest.param(level(backordered=5), 0, "backordered 5", id="waiting-units"),
        pytest.param(level(incoming="2.5"), 0, "incoming 2.5", id="announced-units"),
        pytest.param(level(), 2, "2 allocation(s) not yet shipped or canceled", id="units-to-be-shipped"),
        pytest.param(
            level(on_hand=1, held=1),
            1,
            "on hand 1, held 1, 1 allocation(s) not yet shipped or canceled",
            id="several-things-at-once",
        ),
    ],
)
def test_a_level_stays_in_use_while_anything_is_left(found, allocations, left):
    with pytest.raises(Refused) as refused:
        ledger.check_unused(found, allocations)

    assert refused.value.refusals == (Refusal(Code.INVALID_STATE, f"The level is in use: {left}."),)


def test_units_that_are_not_held_any_more_are_available():
    one = level(on_hand=5, reserved=1, held=3, incoming=2)

    assert ledger.apply(one, Change(held=Decimal(-2))) == level(on_hand=5, reserved=1, held=1, incoming=2)
