"""Whether a transaction is in when the answer to its COMMIT was lost. PostgreSQL alone loses them.

The outbox entries that a transaction writes last are its mark: their numbers are random, so that finding one of them
means "committed", also where the database was restored or another server has taken over. Without one nobody can tell.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

log = logging.getLogger(__name__)

_SECONDS_TO_FIND_OUT = 30.0
_SECONDS_BETWEEN_LOOKS = 0.2

# Asked before the entry is looked for: a transaction that has ended by then is seen by the statement that follows.
_STATUS = """SELECT CASE WHEN pg_is_in_recovery() THEN 'in progress'
    WHEN ?::bigint > pg_current_xact_id()::text::bigint THEN 'of another history'
    ELSE pg_xact_status(?::bigint::text::xid8) END AS status"""
_ENTRY = "SELECT 1 FROM outbox WHERE id = ? AND mark = ?"

Ask = Callable[..., Awaitable[list[dict[str, Any]]]]
"""Runs a statement on a connection of its own."""


class CommitLost(Exception):
    """The connection ended before COMMIT was answered. Where it leaves a transaction, the database says it was aborted."""


class CommitUnknown(Exception):
    """The answer to a COMMIT was lost, and whether it happened cannot be found out."""


@dataclass(frozen=True, slots=True)
class Mark:
    """An outbox entry of a transaction, and the number of that transaction."""

    entry_id: int
    mark: int
    tx: int


async def is_committed(mark: Mark | None, ask: Ask, seconds: float = _SECONDS_TO_FIND_OUT) -> bool:
    """Whether the transaction with this mark has committed; ``CommitUnknown`` when it cannot be found out in time."""
    if mark is None:
        raise CommitUnknown("the answer to a COMMIT was lost, and the transaction left no mark")
    deadline = time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0:
        try:
            async with asyncio.timeout(left):
                if (committed := await _look(mark, ask)) is not None:
                    return committed
        except Exception as error:
            log.info("whether transaction %s has committed is asked again: %s", mark.tx, error)
        await asyncio.sleep(_SECONDS_BETWEEN_LOOKS)
    raise CommitUnknown(
        f"the answer to the COMMIT of transaction {mark.tx} was lost, and the database does not say more"
    )


async def _look(mark: Mark, ask: Ask) -> bool | None:
    """None while the transaction still runs."""
    (row,) = await ask(_STATUS, mark.tx, mark.tx)
    if await ask(_ENTRY, mark.entry_id, mark.mark):
        return True
    return None if row["status"] == "in progress" else False
