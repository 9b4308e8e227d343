"""Verifies that no movement was changed or moved to another level."""

from collections.abc import AsyncIterator, Iterator

from gqlstock.rules import seals
from gqlstock.rules.ledger import Level, StockMovement
from gqlstock.rules.quantities import ZERO
from gqlstock.services.verification.differences import Difference, Figure, content, different
from gqlstock.store import verification as rows


async def check() -> AsyncIterator[Difference]:
    async for part in rows.movements():
        for movement, level in part:
            for difference in different(f"Movement {movement.id}", _figures(movement, level)):
                yield difference


def _figures(movement: StockMovement, level: Level) -> Iterator[Figure]:
    yield content(movement.seal, seals.of_movement(movement, level.item_id, level.warehouse_id))
    yield "quantity", "0" if movement.quantity == ZERO else "a change", "a change"
