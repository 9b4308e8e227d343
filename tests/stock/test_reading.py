"""Reads see one instant, use what is kept only where it is current, and know what their answers depend on."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from gqlstock.rules import cache_keys
from gqlstock.rules.cache_keys import ITEMS, LEVELS, SETTINGS
from gqlstock.rules.scopes import SYSTEM
from gqlstock.services import adjust_stock, catalog
from gqlstock.services.adjust_stock import AdjustStockRequest, StockAdjustment
from gqlstock.stock import cache, for_writing, present, reading
from gqlstock.stock.cache import Cache, Found
from gqlstock.stock.validating import NotValidated
from gqlstock.store import levels as level_rows
from gqlstock.store.db import clock, connection, reads, sql, transactions
from gqlstock.store.db.transactions import Outdated
from support import interleaving
from support import shop_builders as make
from support.interleaving import VALIDATION, elsewhere

ANSWER = ("answer", "mug")
NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)


@pytest.fixture
def kept(db: None) -> Iterator[Cache]:
    """The cache of this process, with room."""
    found = Cache(1_000_000)
    with cache.everywhere(found):
        yield found


@pytest.fixture
async def mug(kept: Cache) -> int:
    """A product of which there are 5, with nothing in memory."""
    with cache.replaced(Cache()):
        await make.shop()
        product_id = await make.product("MUG", name="Mug")
        await make.stock("MUG", on_hand=5)
    return product_id


async def rename(name: str) -> None:
    """Rename the mug, as another process does."""
    with cache.replaced(Cache()):
        await catalog.update_product("MUG", {"name": name})


async def add(units: int) -> None:
    """Add units, as another process does: it has a cache of its own."""
    with cache.replaced(Cache()):
        await adjust_stock.adjust(SYSTEM, AdjustStockRequest((StockAdjustment("MUG", "BERLIN", Decimal(units)),)))


async def name_of(item_id: int) -> str:
    return (await present.items([item_id]))[item_id].name


async def on_hand_of(item_id: int) -> Decimal:
    return sum((level.on_hand for level in (await present.levels_of([item_id]))[item_id]), Decimal(0))


async def stored_on_hand(item_id: int) -> Decimal:
    """From the database, whatever is kept."""
    return sum((level.on_hand for level in await level_rows.stored_of_items([item_id])), Decimal(0))


def hits(kept: Cache, kind: str = "record") -> int:
    return kept.counts[kind].hits if kind in kept.counts else 0


# ── one instant


async def test_all_statements_of_a_read_see_the_database_as_of_the_first(mug: int) -> None:
    async def both() -> tuple[str, Decimal]:
        name = await name_of(mug)
        await elsewhere(add(2))
        return name, await stored_on_hand(mug)

    assert await reading.run(both) == ("Mug", 5)
    assert await reading.run(lambda: stored_on_hand(mug)) == 7


async def test_a_read_sees_what_was_written_before_it_began(mug: int) -> None:
    assert await reading.run(lambda: name_of(mug)) == "Mug"
    await rename("Cup")
    assert await reading.run(lambda: name_of(mug)) == "Cup"


async def test_a_read_inside_another_is_part_of_it(mug: int) -> None:
    async def both() -> tuple[Decimal, Decimal]:
        before = await stored_on_hand(mug)
        await elsewhere(add(2))
        return before, await reading.run(lambda: stored_on_hand(mug))

    assert await reading.run(both) == (5, 5)


async def test_the_time_of_a_read_stands_still(mug: int) -> None:
    async with reading.opened() as read:
        first = read.now
        await stored_on_hand(mug)

        assert read.now == reads.now() == first
        assert clock.now() > first


async def test_tasks_of_a_read_share_its_transaction(mug: int) -> None:
    async def both() -> list[Decimal]:
        async def later() -> Decimal:
            await asyncio.sleep(0)
            await elsewhere(add(2))
            return await stored_on_hand(mug)

        return await asyncio.gather(stored_on_hand(mug), later(), stored_on_hand(mug))

    assert await reading.run(both) == [5, 5, 5]


# ── starting over


@pytest.mark.parametrize("fails", [False, True], ids=["told", "swallowed"])
async def test_a_read_starts_over_when_something_from_memory_has_changed(mug: int, kept: Cache, fails: bool) -> None:
    runs: list[str] = []

    async def both() -> tuple[str, Decimal]:
        runs.append(await name_of(mug))
        if len(runs) == 1:
            await elsewhere(rename("Cup"))
        try:
            return runs[-1], await stored_on_hand(mug)
        except reading.StartOver:
            # As the executor does with whatever a field raises.
            if fails:
                return "failed", Decimal(0)
            raise

    await reading.run(lambda: name_of(mug))

    assert await reading.run(both) == ("Cup", 5)
    assert runs == ["Mug", "Cup"]
    assert hits(kept) == 1


async def test_a_read_does_not_start_over_for_what_it_did_not_use(mug: int) -> None:
    await make.product("CUP")
    runs = 0

    async def both() -> tuple[str, Decimal]:
        nonlocal runs
        runs += 1
        name = await name_of(mug)
        await elsewhere(catalog.update_product("CUP", {"name": "Other"}))
        return name, await stored_on_hand(mug)

    await reading.run(lambda: name_of(mug))

    assert await reading.run(both) == ("Mug", 5)
    assert runs == 1


async def test_what_was_worked_out_from_outdated_records_is_not_kept(mug: int, kept: Cache) -> None:
    """A field beside the one that began the transaction may still be at work with them."""

    async def both() -> str:
        name = await name_of(mug)
        await elsewhere(rename("Cup"))
        with pytest.raises(reading.StartOver):
            await stored_on_hand(mug)
        running = reading.running()
        assert running is not None
        running.put_many("shown", {mug: Found(f"a {name}", (cache_keys.item(mug),), 0)})
        return name

    await reading.run(lambda: name_of(mug))
    async with reading.opened() as read:
        await read.begin()
        assert await both() == "Mug"

    async with reading.opened() as later:
        assert later.get_many("shown", [mug]) == ({}, [mug])


async def test_a_write_between_validation_and_the_first_statement_is_seen_whole(mug: int) -> None:
    async def both() -> tuple[str, Decimal]:
        return await name_of(mug), await on_hand_of(mug)

    async def write() -> None:
        await rename("Cup")
        await add(2)

    with interleaving.before(VALIDATION, write, skipped=1):
        assert await reading.run(both) == ("Cup", 7)


async def test_a_write_while_a_record_is_loaded_keeps_the_record_from_being_kept(mug: int) -> None:
    async def validate_elsewhere() -> None:
        await add(2)
        await reading.run(lambda: on_hand_of(mug + 1))

    with interleaving.before("inventory_level", validate_elsewhere):
        assert await reading.run(lambda: on_hand_of(mug)) == 5
    assert await reading.run(lambda: on_hand_of(mug)) == 7


# ── validation


async def test_reads_that_arrive_together_share_validations(mug: int, kept: Cache) -> None:
    await reading.run(lambda: name_of(mug))
    before = kept.sent
    late: list[asyncio.Task[str]] = []

    async def arrive() -> None:
        late.extend(asyncio.create_task(reading.run(lambda: name_of(mug))) for _ in range(50))
        await asyncio.sleep(0.01)

    with interleaving.before(VALIDATION, arrive):
        await reading.run(lambda: name_of(mug))

    assert set(await asyncio.gather(*late)) == {"Mug"}
    assert kept.sent - before == 2


async def test_a_read_does_not_use_a_validation_that_was_sent_before_it(mug: int) -> None:
    await reading.run(lambda: name_of(mug))
    late: list[asyncio.Task[str]] = []

    async def write() -> None:
        await rename("Cup")
        late.append(asyncio.create_task(reading.run(lambda: name_of(mug))))
        await asyncio.sleep(0)

    with interleaving.before(VALIDATION, write):
        await reading.run(lambda: name_of(mug))

    assert await late[0] == "Cup"


@pytest.mark.parametrize("error", [ConnectionError("gone"), asyncio.CancelledError()], ids=["fails", "is cancelled"])
async def test_after_a_validation_that_ends_halfway_the_next_one_is_sent(
    mug: int, kept: Cache, error: BaseException
) -> None:
    await reading.run(lambda: name_of(mug))
    waiting: list[asyncio.Task[str]] = []

    async def fail() -> None:
        waiting.append(asyncio.create_task(reading.run(lambda: name_of(mug))))
        await asyncio.sleep(0)
        await rename("Cup")
        raise error

    with interleaving.before(VALIDATION, fail), pytest.raises((NotValidated, asyncio.CancelledError)):
        await reading.run(lambda: name_of(mug))

    assert await waiting[0] == "Cup"
    assert not kept.validating.locked()


# ── what is kept of an answer


async def answered(item_id: int) -> None:
    """Keep an answer of everything that is asked here."""
    async with reading.opened() as read:
        await read.run(lambda: name_of(item_id))
        read.keep_answer(ANSWER, "a mug", 0)


async def found() -> Any:
    async with reading.opened(begun=False) as read:
        entry = await read.answer(ANSWER)
    return None if entry is None else entry.value


async def test_an_answer_is_found_until_what_it_depends_on_changes(mug: int) -> None:
    await answered(mug)

    assert await found() == "a mug"
    await add(1)
    assert await found() == "a mug"
    await rename("Cup")
    assert await found() is None


async def test_an_answer_from_memory_depends_on_the_records_that_it_was_made_of(mug: int) -> None:
    await reading.run(lambda: name_of(mug))
    await answered(mug)

    await rename("Cup")

    assert await found() is None


async def test_looking_for_an_answer_that_nothing_has_needs_no_validation(mug: int, kept: Cache) -> None:
    assert await found() is None
    assert kept.sent == 0


async def test_an_answer_of_a_read_that_changed_something_is_not_kept(mug: int) -> None:
    async with reading.opened() as read:
        await read.around(lambda: rename("Cup"))
        assert await name_of(mug) == "Cup"
        read.keep_answer(ANSWER, "a cup", 0)

    assert await found() is None


async def test_an_answer_of_a_table_without_a_key_is_not_kept(mug: int) -> None:
    async with reading.opened() as read:
        await sql.query("SELECT COUNT(*) AS orders FROM customer_order")
        read.keep_answer(ANSWER, "no orders", 0)

    assert await found() is None


async def test_an_answer_of_a_statement_without_a_table_is_not_kept(mug: int) -> None:
    async with reading.opened() as read:
        await sql.query("SELECT 1 AS one")
        read.keep_answer(ANSWER, "one", 0)

    assert await found() is None


async def test_an_answer_that_depends_on_something_without_a_key_is_not_kept(mug: int) -> None:
    async with reading.opened() as read:
        await read.run(lambda: name_of(mug))
        reads.never_keep()
        read.keep_answer(ANSWER, "at this time", 0)

    assert await found() is None


@pytest.mark.parametrize(
    ("statement", "key"),
    [
        ("SELECT COUNT(*) AS n FROM item", ITEMS),
        ("SELECT COUNT(*) AS n FROM inventory_level", LEVELS),
        ("SELECT COUNT(*) AS n FROM stock_movement", LEVELS),
        ("SELECT COUNT(*) AS n FROM category", SETTINGS),
    ],
)
async def test_a_statement_depends_on_the_tables_that_it_names(
    mug: int, kept: Cache, statement: str, key: cache_keys.Key
) -> None:
    async with reading.opened() as read:
        await sql.query(statement)
        read.keep_answer(ANSWER, "counted", 0)

    assert await found() == "counted"
    kept.drop({ITEMS, LEVELS, SETTINGS} - {key})
    assert await found() == "counted"
    kept.drop({key})
    assert await found() is None


async def test_keys_that_are_declared_stand_for_those_of_the_tables(mug: int, kept: Cache) -> None:
    async with reading.opened() as read:
        with reads.only({cache_keys.item(mug)}):
            await sql.query("SELECT COUNT(*) AS n FROM item JOIN customer_order ON TRUE")
        read.keep_answer(ANSWER, "counted", 0)

    kept.drop({ITEMS, LEVELS, SETTINGS})
    assert await found() == "counted"
    kept.drop({cache_keys.item(mug)})
    assert await found() is None


async def test_an_answer_with_very_many_keys_depends_on_the_lists_instead(mug: int, kept: Cache) -> None:
    async with reading.opened() as read:
        read.depend_on(cache_keys.item(number) for number in range(1, 2_001))
        read.keep_answer(("answer", "2,000"), "2,000", 0)
        read.depend_on([cache_keys.levels(1), SETTINGS])
        read.keep_answer(("answer", "2,002"), "2,002", 0)
        kept.drop({SETTINGS})

        assert await read.answer(("answer", "2,000")) is not None
        assert await read.answer(("answer", "2,002")) is None
        read.keep_answer(("answer", "2,002"), "2,002", 0)

    kept.drop({ITEMS})
    async with reading.opened() as read:
        assert await read.answer(("answer", "2,000")) is not None
        assert await read.answer(("answer", "2,002")) is None


async def test_an_item_that_is_not_there_yet_is_a_dependency(mug: int) -> None:
    async with reading.opened() as read:
        assert await read.run(lambda: present.items([mug + 1])) == {}
        read.keep_answer(ANSWER, "nothing", 0)

    assert await make.product("CUP") == mug + 1
    assert await found() is None


async def test_an_answer_ends_when_the_first_of_its_records_does(mug: int, kept: Cache) -> None:
    now = [NOON]
    with clock.replaced(lambda: now[0]):
        async with reading.opened() as read:
            for hours in (2, 1, 3):
                read.depend_on((), NOON + timedelta(hours=hours))
            read.keep_answer(ANSWER, "before one", 0)
        now[0] = NOON + timedelta(minutes=59)
        before = await found()
        now[0] = NOON + timedelta(hours=1)
        after = await found()

    assert (before, after) == ("before one", None)


# ── changes


async def test_what_is_read_after_a_change_has_it(mug: int) -> None:
    async with reading.opened() as read:
        assert await name_of(mug) == "Mug"
        await read.around(lambda: rename("Cup"))
        assert await name_of(mug) == "Cup"
        await elsewhere(add(2))
        assert await stored_on_hand(mug) == 5


async def test_a_change_runs_outside_of_the_transaction_of_its_read(mug: int) -> None:
    async def change() -> Decimal:
        await elsewhere(add(2))
        return await stored_on_hand(mug)

    async with reading.opened() as read:
        assert await stored_on_hand(mug) == 5
        assert await read.around(change) == 7


async def test_a_read_that_begins_later_uses_nothing_from_memory_before_its_first_statement(
    mug: int, kept: Cache
) -> None:
    await reading.run(lambda: name_of(mug))
    await rename("Cup")

    read = reading.later()
    with reading.within(read):
        names = [await name_of(mug), await name_of(mug)]
        await read.end()

    assert names == ["Cup", "Cup"]


async def test_a_read_that_begins_later_uses_what_is_kept_once_it_has_begun(mug: int, kept: Cache) -> None:
    await reading.run(lambda: name_of(mug))
    before = hits(kept)

    read = reading.later()
    with reading.within(read):
        await stored_on_hand(mug)
        await name_of(mug)
        await read.end()

    assert hits(kept) - before == 1


# ── write transactions


async def test_a_write_transaction_starts_over_when_what_it_took_from_memory_has_changed(mug: int) -> None:
    await reading.run(lambda: name_of(mug))
    await rename("Cup")
    names: list[str] = []

    async def work() -> None:
        with for_writing.opened() as records:
            names.append(await name_of(mug))
            await records.validate()

    await transactions.run(work)

    assert names == ["Mug", "Cup"]


async def test_a_write_transaction_keeps_nothing(mug: int, kept: Cache) -> None:
    async def work() -> None:
        with for_writing.opened() as records:
            await name_of(mug)
            await records.validate()

    await transactions.run(work)

    assert kept.bytes == 0


async def test_a_write_transaction_that_took_nothing_from_memory_is_not_validated(mug: int, kept: Cache) -> None:
    async def work() -> None:
        with for_writing.opened() as records:
            await name_of(mug)
            await elsewhere(nothing())
            await records.validate()

    async def nothing() -> None:
        kept.drop({cache_keys.item(mug)})

    await transactions.run(work)


async def test_what_a_write_transaction_found_dropped_is_dropped_for_reads_too(mug: int, kept: Cache) -> None:
    await reading.run(lambda: name_of(mug))
    mark = kept.mark
    await rename("Cup")

    async def work() -> None:
        with for_writing.opened() as records:
            await name_of(mug)
            await records.validate()

    with pytest.raises(Outdated):
        await transactions.run(work, attempts=1)

    assert kept.mark == mark
    assert not kept.unchanged({cache_keys.item(mug)}, 1)


# ── connections


def connections_in_use() -> int:
    client = connection.reader()
    if connection.is_postgres():
        return int(client._pool.get_size() - client._pool.get_idle_size())
    return 1 - len(client._reads._idle)


async def test_a_read_that_is_cancelled_gives_its_connection_back(mug: int) -> None:
    begun = asyncio.Event()

    async def work() -> None:
        await stored_on_hand(mug)
        begun.set()
        await asyncio.sleep(60)

    task = asyncio.create_task(reading.run(work))
    await begun.wait()
    assert connections_in_use() == 1
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert connections_in_use() == 0
