"""The ledger as it is read: single movements, and what they add up to at a moment. ``inventory.record`` writes it."""

from collections.abc import Collection
from datetime import datetime
from decimal import Decimal

from gqlstock.rules.quantities import ZERO
from gqlstock.store.fields import Total
from gqlstock.store.inventory import StockMovement


async def movements(ids: Collection[int]) -> dict[int, StockMovement]:
    return {movement.id: movement for movement in await StockMovement.filter(id__in=set(ids))} if ids else {}


async def moved_after(level_id: int, moment: datetime) -> Decimal:
    """The sum of a level's movements created after that moment."""
    rows = (
        await StockMovement.filter(level_id=level_id, created_at__gt=moment)
        .annotate(total=Total("quantity"))
        .values_list("total", flat=True)
    )
    return rows[0] or ZERO  # type: ignore[return-value]


async def on_hand_at(level_ids: Collection[int], moment: datetime) -> dict[int, Decimal]:
    """Each level's onHand as the ledger has it at that moment: the sum of the movements up to and with it."""
    rows = (
        await StockMovement.filter(level_id__in=set(level_ids), created_at__lte=moment)
        .annotate(total=Total("quantity"))
        .group_by("level_id")
        .values("level_id", "total")
    )
    return {row["level_id"]: row["total"] for row in rows}
