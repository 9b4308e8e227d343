from datetime import UTC, datetime

from gqlstock.rules.events import Event, Topic, deduplicated, order_date_changed, order_placed

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
