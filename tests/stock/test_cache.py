"""What is kept is current: exactly, step by step, and in random interleavings of writers and two processes."""

import os
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gqlstock.rules import cache_keys
from gqlstock.rules.cache_keys import EVERYTHING, ITEMS, LEVELS, SETTINGS
from gqlstock.stock.cache import Cache
from gqlstock.store.validation import Mark
from support import mvcc_model

RUNS = int(os.environ.get("GQLSTOCK_TEST_RUNS", "200"))
MUG, CUP = cache_keys.item(1), cache_keys.item(2)
NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)
A_MOMENT = timedelta(microseconds=1)
NAME = ("record", 1)
OVERHEAD = 400
"""Bytes of an entry without keys."""


def cache(max_bytes: int = 10_000, **more: Any) -> Cache:
    """One that was validated once."""
    made = Cache(max_bytes, **more)
    made.apply(Mark("server", 1), {EVERYTHING})
    return made


def keep(kept: Cache, value: Any = "mug", **given: Any) -> None:
    wanted: dict[str, Any] = {"name": NAME, "pin": kept.epoch, "now": NOON, "keys": (MUG,), "until": None, "size": 0}
    kept.keep(value=value, **wanted | given)


def get(kept: Cache, name: tuple[Any, ...] = NAME, pin: int | None = None, now: datetime = NOON) -> Any:
    found = kept.get(name, kept.epoch if pin is None else pin, now)
    return None if found is None else found.value


def counts(kept: Cache, kind: str = "record") -> tuple[int, int, int]:
    found = kept.counts[kind]
    return found.hits, found.misses, found.drops


# ── keys and epochs


def test_what_is_kept_is_found_until_one_of_its_keys_is_dropped() -> None:
    kept = cache()
    keep(kept, keys=(MUG, SETTINGS))

    assert get(kept) == "mug"
    kept.drop({CUP, ITEMS})
    assert get(kept) == "mug"
    kept.drop({SETTINGS})
    assert get(kept) is None
    assert counts(kept) == (2, 1, 1)


def test_nothing_is_kept_of_a_snapshot_in_which_it_has_changed_meanwhile() -> None:
    kept = cache()
    pin = kept.epoch

    kept.drop({MUG})
    keep(kept, pin=pin)
    keep(kept, "cup", name=("record", 2), pin=pin, keys=(CUP,))

    assert (get(kept), get(kept, ("record", 2))) == (None, "cup")


def test_an_entry_of_a_later_snapshot_is_not_for_a_read_that_began_before() -> None:
    kept = cache()
    earlier = kept.epoch
    kept.drop({MUG})
    keep(kept, "new mug")

    assert get(kept, pin=earlier) is None
    assert get(kept) == "new mug"


def test_a_read_of_an_older_snapshot_does_not_find_what_was_dropped_after_it() -> None:
    kept = cache()
    keep(kept)
    pin = kept.epoch

    kept.drop({MUG})

    assert get(kept, pin=pin) is None


def test_a_new_value_takes_the_place_of_the_old_one_with_its_keys() -> None:
    kept = cache()
    keep(kept, "mug", size=100)
    keep(kept, "cup", keys=(CUP,), size=50)

    assert kept.bytes == OVERHEAD + 100 + 50
    kept.drop({MUG})
    assert get(kept) == "cup"


def test_a_value_without_keys_stays_until_everything_is_dropped() -> None:
    kept = cache()
    keep(kept, keys=())

    kept.drop({MUG, CUP, ITEMS, LEVELS, SETTINGS})
    assert get(kept) == "mug"
    kept.drop({EVERYTHING})
    assert get(kept) is None
    assert kept.bytes == 0


def test_nothing_of_a_snapshot_before_everything_was_dropped_is_kept() -> None:
    kept = cache()
    pin = kept.epoch
    kept.drop({EVERYTHING})

    keep(kept, pin=pin)
    keep(kept, "cup", name=("record", 2))

    assert (get(kept), get(kept, ("record", 2))) == (None, "cup")


def test_a_validation_that_found_nothing_begins_no_epoch() -> None:
    kept = cache()
    before = kept.epoch

    kept.apply(Mark("server", 9), set())

    assert (kept.epoch, kept.mark) == (before, Mark("server", 9))


def test_once_it_is_forgotten_when_keys_were_dropped_nothing_older_is_used_or_kept() -> None:
    kept = cache(max_dropped_keys=2)
    keep(kept)
    keep(kept, "cup", name=("record", 2), keys=(CUP,))
    pin = kept.epoch
    for number in (10, 11, 12):
        kept.drop({cache_keys.item(number)})

    # Item 10 was forgotten, and the mug might have been.
    assert not kept.unchanged((MUG,), pin)
    assert get(kept) is None
    keep(kept, pin=pin)
    assert get(kept) is None
    keep(kept)
    assert get(kept) == "mug"


def test_a_key_that_is_dropped_again_is_remembered_longer() -> None:
    kept = cache(max_dropped_keys=2)
    kept.drop({MUG})
    kept.drop({CUP})
    kept.drop({MUG})
    pin = kept.epoch
    keep(kept, "jar", name=("record", 3), keys=(cache_keys.item(3),))
    kept.drop({ITEMS})

    assert get(kept, ("record", 3)) == "jar"
    assert kept.unchanged((MUG,), pin)
    assert not kept.unchanged((MUG,), pin - 1)


# ── time


def test_a_value_holds_before_its_end_and_not_at_it() -> None:
    kept = cache()
    keep(kept, until=NOON + timedelta(hours=1))

    assert get(kept, now=NOON + timedelta(hours=1) - A_MOMENT) == "mug"
    assert get(kept, now=NOON + timedelta(hours=1)) is None


def test_a_read_of_an_earlier_time_does_not_find_what_was_read_later() -> None:
    kept = cache()
    keep(kept, "after the hold ended")

    assert get(kept, now=NOON - A_MOMENT) is None
    assert get(kept, now=NOON) == "after the hold ended"


# ── bytes


def test_the_entries_that_were_asked_for_least_recently_make_room() -> None:
    kept = cache(3 * OVERHEAD + 300)
    for number in (1, 2, 3):
        keep(kept, number, name=("record", number), keys=(), size=100)
    get(kept, ("record", 1))

    keep(kept, 4, name=("record", 4), keys=(), size=100)

    assert [get(kept, ("record", number)) for number in (1, 2, 3, 4)] == [1, None, 3, 4]
    assert kept.bytes == 3 * OVERHEAD + 300


def test_what_is_larger_than_the_cache_is_not_kept_and_pushes_nothing_out() -> None:
    kept = cache(2_000)
    keep(kept)

    keep(kept, "huge", name=("record", 2), size=2_000)

    assert (get(kept), get(kept, ("record", 2))) == ("mug", None)


def test_keys_count_as_bytes() -> None:
    kept = cache()

    keep(kept, keys=(MUG, CUP, ITEMS))

    assert kept.bytes == OVERHEAD + 300


def test_a_cache_of_no_bytes_keeps_nothing() -> None:
    kept = cache(0)

    keep(kept, keys=())

    assert (get(kept), kept.bytes, NAME in kept) == (None, 0, False)


def test_hits_and_misses_are_counted_by_kind() -> None:
    kept = cache()
    keep(kept)
    keep(kept, name=("answer", 1))

    get(kept)
    get(kept, ("answer", 1))
    get(kept, ("answer", 2))
    kept.missed(("answer", 3))

    assert (counts(kept), counts(kept, "answer")) == ((1, 0, 0), (1, 2, 0))


# ── random interleavings


class KeepsWhatHasChanged(Cache):
    """Planted bug: keeps without looking at the keys that were dropped since the snapshot."""

    def keep(self, name, value, pin, now, keys, until, size):  # type: ignore[no-untyped-def]
        super().keep(name, value, self.epoch, now, keys, until, size)


class ForgetsForGood(Cache):
    """Planted bug: has no floor, so that a key that was forgotten counts as never dropped."""

    def drop(self, keys):  # type: ignore[no-untyped-def]
        super().drop(keys)
        self._floor = 0


class SharesWithEarlierReads(Cache):
    """Planted bug: gives what a later read kept to a read of an earlier time."""

    def keep(self, name, value, pin, now, keys, until, size):  # type: ignore[no-untyped-def]
        super().keep(name, value, pin, datetime.min.replace(tzinfo=UTC), keys, until, size)


@pytest.mark.parametrize("max_bytes", [3_000, 100_000])
def test_two_processes_show_one_snapshot_and_all_that_was_acknowledged(max_bytes: int) -> None:
    counted = mvcc_model.run_many(RUNS, lambda: Cache(max_bytes, max_dropped_keys=3))

    for happened in ("answers", "records", "loads", "restarts", "writes", "outdated"):
        assert counted[happened] > RUNS, counted


@pytest.mark.parametrize("bug", [KeepsWhatHasChanged, ForgetsForGood, SharesWithEarlierReads])
def test_a_cache_with_a_bug_is_found_out(bug: type[Cache]) -> None:
    with pytest.raises(mvcc_model.Wrong):
        mvcc_model.run_many(100, lambda: bug(100_000, max_dropped_keys=3))


def test_a_read_that_does_not_start_over_is_found_out() -> None:
    with pytest.raises(mvcc_model.Wrong):
        mvcc_model.run_many(100, lambda: Cache(100_000, max_dropped_keys=3), restarts=False)
