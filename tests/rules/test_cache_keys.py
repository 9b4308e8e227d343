"""Which keys an entry of the outbox drops."""

import pytest

from gqlstock.rules import cache_keys, events
from gqlstock.rules.cache_keys import EVERYTHING, ITEMS, LEVELS, SETTINGS, TOKENS, Key
from gqlstock.rules.events import Topic


@pytest.mark.parametrize(
    ("topic", "item_id", "keys"),
    [
        ("LEVEL", 7, {("levels", 7), LEVELS}),
        ("LEVEL_ROW", 7, {("levels", 7), LEVELS}),
        ("ALERT", 7, {("levels", 7), LEVELS}),
        ("ITEM", 7, {("item", 7), ITEMS}),
        ("SETTINGS", None, {SETTINGS}),
        ("TOKENS", None, {TOKENS}),
        ("ORDER", None, set()),
        ("TRANSFER", None, set()),
        ("STOCK", None, set()),
        ("RESET", None, {EVERYTHING}),
    ],
)
def test_an_entry_drops_what_a_read_of_its_subject_is_kept_under(
    topic: str, item_id: int | None, keys: set[Key]
) -> None:
    assert cache_keys.dropped([(topic, item_id)]) == keys


@pytest.mark.parametrize("topic", ["LEVEL", "LEVEL_ROW", "ALERT", "ITEM"])
def test_an_entry_that_does_not_say_its_item_drops_everything(topic: str) -> None:
    assert cache_keys.dropped([(topic, None)]) == {EVERYTHING}


@pytest.mark.parametrize("item_id", [None, 7])
@pytest.mark.parametrize("topic", ["CARRIER", "", "level"])
def test_an_entry_of_an_unknown_topic_drops_everything(topic: str, item_id: int | None) -> None:
    assert cache_keys.dropped([(topic, item_id)]) == {EVERYTHING}


def test_entries_drop_the_keys_of_each_of_them() -> None:
    entries: list[tuple[str, int | None]] = [("LEVEL", 1), ("LEVEL", 2), ("ITEM", 3), ("ORDER", None)]

    assert cache_keys.dropped(entries) == {("levels", 1), ("levels", 2), LEVELS, ("item", 3), ITEMS}
    assert cache_keys.dropped([]) == set()


def test_topics_may_be_given_as_members() -> None:
    assert cache_keys.dropped([(Topic.SETTINGS, None), (Topic.UNKNOWN, 1)]) == {SETTINGS, EVERYTHING}


def test_a_combination_drops_the_key_of_its_product() -> None:
    changed = events.items_with_products_changed([(1, None), (2, 1)])

    assert [(event.subject, event.item_id) for event in changed] == [(1, 1), (2, 1)]
