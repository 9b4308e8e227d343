from datetime import UTC, datetime

import pytest

from gqlstock.rules import events
from gqlstock.rules.events import Event, ItemChange, Topic, deduplicated, order_date_changed, order_placed

FIRST, THEN, NOW = (datetime(2036, 12, number, tzinfo=UTC) for number in (1, 10, 20))
UPDATED = Event(Topic.ORDER, 1)


def moved(before: datetime | None, after: datetime | None, **more: bool) -> Event:
    change = order_date_changed(1, before, after)
    return Event(Topic.ORDER, 1, {**change.data, **more})


def test_a_changed_date_says_what_it_was_and_what_it_is() -> None:
    assert order_date_changed(1, None, NOW).data == {
        "expected_at_before": None,
        "expected_at": "2036-12-20T00:00:00+00:00",
    }


def test_an_order_that_changed_and_has_another_date_is_one_entry() -> None:
    assert deduplicated([UPDATED, moved(THEN, NOW), UPDATED]) == [moved(THEN, NOW, updated=True)]
    assert deduplicated([moved(THEN, NOW), UPDATED]) == [moved(THEN, NOW, updated=True)]


def test_two_changed_dates_are_two_entries_of_which_one_says_that_the_order_changed() -> None:
    assert deduplicated([moved(FIRST, THEN), UPDATED, moved(THEN, NOW)]) == [
        moved(FIRST, THEN, updated=True),
        moved(THEN, NOW),
    ]


def test_a_new_order_that_changed_is_new_and_has_another_date() -> None:
    assert deduplicated([order_placed(1), UPDATED, moved(THEN, NOW)]) == [order_placed(1), moved(THEN, NOW)]


def test_changes_of_other_orders_stay_by_themselves() -> None:
    other = Event(Topic.ORDER, 2)

    assert deduplicated([moved(THEN, NOW), other, other]) == [moved(THEN, NOW), other]


NONE, UPDATED_ITEM, CREATED, DELETED = ItemChange.NONE, ItemChange.UPDATED, ItemChange.CREATED, ItemChange.DELETED


def item(change: ItemChange, item_id: int = 1) -> Event:
    (event,) = events.items_with_products_changed([(item_id, None)], change)
    return event


@pytest.mark.parametrize("change", list(ItemChange))
def test_an_entry_of_an_item_says_what_happened_to_it(change: ItemChange) -> None:
    assert events.item_change(item(change).data) is change


def test_an_update_has_no_data_as_earlier_versions_wrote_it() -> None:
    assert item(UPDATED_ITEM) == Event(Topic.ITEM, 1, {}, 1)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ([CREATED, UPDATED_ITEM], CREATED),
        ([UPDATED_ITEM, CREATED, NONE], CREATED),
        ([NONE, UPDATED_ITEM], UPDATED_ITEM),
        ([UPDATED_ITEM, NONE, UPDATED_ITEM], UPDATED_ITEM),
        ([UPDATED_ITEM, DELETED], DELETED),
        ([CREATED, DELETED, UPDATED_ITEM], DELETED),
        ([NONE, NONE], NONE),
    ],
)
def test_an_item_has_one_entry_in_a_transaction_the_one_that_says_most(
    changes: list[ItemChange], said: ItemChange
) -> None:
    other = item(UPDATED_ITEM, 2)
    level = events.level_changed(1, 1)

    assert deduplicated([other, *map(item, changes), level]) == [other, item(said), level]


def test_an_order_whose_units_moved_says_which_warehouses_they_left_and_is_one_entry() -> None:
    units_moved = events.order_moved(1, [5, 3, 5])

    assert events.left_warehouses(units_moved.data) == {3, 5}
    assert events.left_warehouses({}) == frozenset()
    assert deduplicated([UPDATED, units_moved, UPDATED]) == [units_moved]
    assert deduplicated([units_moved, events.order_moved(1, [4])]) == [events.order_moved(1, [3, 4, 5])]


def test_an_order_whose_units_moved_and_that_has_another_date_is_one_entry() -> None:
    units_moved = events.order_moved(1, [5, 3])
    both = Event(Topic.ORDER, 1, {**moved(THEN, NOW, updated=True).data, "left": [3, 5]})

    assert deduplicated([moved(THEN, NOW), units_moved]) == [both]
    assert deduplicated([units_moved, moved(THEN, NOW), UPDATED]) == [both]


def test_an_order_that_is_new_and_whose_units_moved_is_one_entry_and_others_are_left_alone() -> None:
    new = Event(Topic.ORDER, 1, {"placed": True, "left": [3]})

    assert deduplicated([order_placed(1), events.order_moved(1, [3]), order_placed(2)]) == [new, order_placed(2)]
