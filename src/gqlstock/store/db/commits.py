"""Determines whether a transaction committed when the answer to its COMMIT was lost. Only PostgreSQL can lose it.

The transaction's mark is an outbox entry with a random number. Finding it proves the commit, even after a restore or a
failover to another server. Without a mark the outcome stays unknown.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

log = logging.getLogger(__name__)

MIN_SECONDS = 30.0
"""How long at least the outcome is checked."""
_SECONDS_BETWEEN_CHECKS = 0.2

# Runs before the search for the entry: if the transaction has ended by then, the search sees what it committed.
_STATUS = """SELECT CASE WHEN pg_is_in_recovery() THEN 'in progress'
    WHEN ?::bigint > pg_current_xact_id()::text::bigint THEN 'of another history'
    ELSE pg_xact_status(?::bigint::text::xid8) END AS status"""
_ENTRY = "SELECT 1 FROM outbox WHERE id = ? AND mark = ?"
# A write: its commit waits until a synchronous standby has it, and everything before it.
_BARRIER = "SELECT pg_logical_emit_message(true, 'gqlstock', '')"

Query = Callable[..., Awaitable[list[dict[str, Any]]]]
"""Runs a statement on a separate connection."""


class CommitLost(Exception):
    """The connection closed before COMMIT was answered. ``transactions.run`` raises it only where a retry is safe."""


class CommitUnknown(Exception):
    """The answer to a COMMIT was lost, and whether the transaction committed is unknown."""


@dataclass(frozen=True, slots=True)
class Mark:
    """An outbox entry of a transaction, and the transaction's number."""

    entry_id: int
    mark: int
    tx: int


async def confirm(query: Query) -> None:
    """Wait until everything that is visible is on a synchronous standby, so that a failover cannot lose it.

    A transaction may be visible before: if its connection broke while its COMMIT waited for the standby. In a transaction,
    its COMMIT waits.
    """
    await query(_BARRIER)


async def is_committed(mark: Mark | None, query: Query, seconds: float = MIN_SECONDS) -> bool:
    """Whether the transaction with this mark committed. Raises ``CommitUnknown`` if that stays unknown for ``seconds``."""
    if mark is None:
        raise CommitUnknown("the answer to a COMMIT was lost, and the transaction left no mark")
    deadline = time.monotonic() + seconds
    while (remaining := deadline - time.monotonic()) > 0:
        try:
            async with asyncio.timeout(remaining):
                if (committed := await _check(mark, query)) is not None:
                    return committed
        except Exception as error:
            log.info("checking again whether transaction %s committed: %s", mark.tx, error)
        await asyncio.sleep(_SECONDS_BETWEEN_CHECKS)
    raise CommitUnknown(
        f"the answer to the COMMIT of transaction {mark.tx} was lost, and the database does not report its outcome"
    )


async def _check(mark: Mark, query: Query) -> bool | None:
    """Whether the transaction committed; None while it is still running."""
    (row,) = await query(_STATUS, mark.tx, mark.tx)
    if await query(_ENTRY, mark.entry_id, mark.mark):
        await confirm(query)
        return True
    return None if row["status"] == "in progress" else False
