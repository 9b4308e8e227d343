"""Many clients and two processes: whatever happens at once, it is as if it had happened one after the other.

GQLSTOCK_TEST_CALLS calls are made to the correct server, 600 unless it says otherwise, and 400 to one with a bug.
"""

import os

import pytest

from gqlstock.services import verification
from support import stock_load
from support.planted_bugs import BUGS, NEED_POSTGRES

CALLS = int(os.environ.get("GQLSTOCK_TEST_CALLS", "600"))
ON_POSTGRES = bool(os.environ.get("GQLSTOCK_TEST_DATABASE_URL"))
_FEW = 400


async def test_one_serial_order_explains_all_that_clients_of_two_processes_see(
    db: None, database_env: dict[str, str]
) -> None:
    result = await stock_load.run(database_env, calls=CALLS)

    assert result.problems == []
    assert result.calls >= CALLS
    assert await verification.verify() == []


@pytest.mark.parametrize("bug", BUGS)
async def test_a_planted_bug_is_found(db: None, database_env: dict[str, str], bug: str) -> None:
    if bug in NEED_POSTGRES and not ON_POSTGRES:
        pytest.skip("needs GQLSTOCK_TEST_DATABASE_URL")

    _, groups = BUGS[bug]
    result = await stock_load.run(database_env, calls=_FEW, groups=groups, bug=bug)

    assert result.problems
