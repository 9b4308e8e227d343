"""Verifies the database: recomputes every stored figure and state and reports the differences.

Each module checks one kind of row. The rules decide what a row must contain.
"""

from gqlstock.services.verification import (
    alerts,
    announcements,
    holds,
    keys,
    levels,
    movements,
    orders,
    transfers,
)
from gqlstock.services.verification.differences import Difference
from gqlstock.store.db import transactions

__all__ = ["Difference", "verify"]

_CHECKS = (
    levels.check,
    movements.check,
    orders.check,
    holds.check,
    announcements.check,
    transfers.check,
    alerts.check,
    keys.check,
)


async def verify() -> list[Difference]:
    """All differences in one consistent snapshot."""

    async def work() -> list[Difference]:
        return [difference for check in _CHECKS async for difference in check()]

    return await transactions.at_one_moment(work)
