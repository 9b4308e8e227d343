"""Whether the tables agree: each figure and state that is kept is worked out again from what it came from.

Each file looks at one kind of row, and yields what it finds. What a row must be by others is decided by the rules.
"""

from gqlstock.services.verification import alerts, announcements, holds, keys, levels, movements, orders
from gqlstock.services.verification.differences import Difference
from gqlstock.store.db import transactions

__all__ = ["Difference", "verify"]

_CHECKS = (levels.check, movements.check, orders.check, holds.check, announcements.check, alerts.check, keys.check)


async def verify() -> list[Difference]:
    """Everything that does not agree at this moment; nothing when all is well."""

    async def work() -> list[Difference]:
        return [difference for check in _CHECKS async for difference in check()]

    return await transactions.at_one_moment(work)
