"""Whether a transaction is in whose COMMIT was not answered: against a database that answers as it is told to."""

from collections.abc import Sequence
from typing import Any

import pytest

from gqlstock.store.db.commits import CommitUnknown, Mark, is_committed

MARK = Mark(entry_id=5, mark=77, tx=100)


class Database:
    """Answers one step for each look: the status of the transaction, and whether its entry is there; or fails."""

    def __init__(self, *steps: tuple[str | None, bool] | Exception) -> None:
        self.steps = list(steps)
        self.looks = 0
        self.confirmed = 0

    async def __call__(self, statement: str, *values: Any) -> Sequence[dict[str, Any]]:
        if "pg_logical_emit_message" in statement:
            self.confirmed += 1
            return []
        step = self.steps[min(self.looks, len(self.steps) - 1)]
        if "pg_xact_status" in statement:
            if isinstance(step, Exception):
                self.looks += 1
                raise step
            assert values == (100, 100)
            return [{"status": step[0]}]
        self.looks += 1
        assert values == (5, 77)
        assert not isinstance(step, Exception)
        return [{"found": 1}] if step[1] else []


async def test_a_transaction_whose_entry_is_there_has_committed():
    database = Database(("committed", True))

    assert await is_committed(MARK, database)
    # A synchronous standby has it as well.
    assert database.confirmed == 1


async def test_a_transaction_of_another_server_has_committed_as_well_when_its_entry_is_there():
    assert await is_committed(MARK, Database(("of another history", True)))


@pytest.mark.parametrize("status", ["aborted", "committed", "of another history", None])
async def test_a_transaction_that_has_ended_without_its_entry_has_not_committed(status: str | None):
    assert not await is_committed(MARK, Database((status, False)))


async def test_a_running_transaction_is_waited_for():
    database = Database(("in progress", False), ("in progress", False), ("committed", True))

    assert await is_committed(MARK, database)
    assert database.looks == 3


async def test_a_database_that_is_away_for_a_moment_is_asked_again():
    assert not await is_committed(MARK, Database(OSError("away"), ConnectionError("away"), ("aborted", False)))


async def test_a_transaction_that_goes_on_too_long_is_unknown():
    with pytest.raises(CommitUnknown, match="transaction 100"):
        await is_committed(MARK, Database(("in progress", False)), seconds=0.3)


async def test_a_database_that_stays_away_leaves_it_unknown():
    with pytest.raises(CommitUnknown, match="transaction 100"):
        await is_committed(MARK, Database(OSError("away")), seconds=0.3)


async def test_a_transaction_without_an_entry_is_unknown():
    with pytest.raises(CommitUnknown, match="no mark"):
        await is_committed(None, Database(("committed", True)))
