"""Many clients and two processes: whatever happens at once, it is as if it had happened one after the other.

GQLSTOCK_TEST_CALLS calls are made to the correct server, 600 unless it says otherwise, and 400 to one with a bug.
"""

import os

import pytest

from conftest import NewDatabase
from gqlstock.services import verification
from support import stock_load
from support.planted_bugs import BUGS, NEED_POSTGRES, OF_DATABASE

CALLS = int(os.environ.get("GQLSTOCK_TEST_CALLS", "600"))
ON_POSTGRES = bool(os.environ.get("GQLSTOCK_TEST_DATABASE_URL"))
BUGS_HERE = [bug for bug in BUGS if (bug in OF_DATABASE if ON_POSTGRES else bug not in NEED_POSTGRES)]
_FEW = 400
_TRIES = 4


async def test_one_serial_order_explains_all_that_clients_of_two_processes_see(
    db: None, database_env: dict[str, str]
) -> None:
    result = await stock_load.run(database_env, calls=CALLS)

    assert result.problems == []
    assert result.calls >= CALLS
    assert await verification.verify() == []


@pytest.mark.parametrize("bug", BUGS_HERE)
async def test_a_planted_bug_is_found(new_database: NewDatabase, bug: str) -> None:
    _, groups = BUGS[bug]
    problems: list[str] = []
    # Whether a few calls come upon a bug is a matter of chance.
    for seed in range(_TRIES):
        if not problems:
            async with new_database() as env:
                problems = (await stock_load.run(env, calls=_FEW, groups=groups, bug=bug, seed=seed)).problems

    assert problems
