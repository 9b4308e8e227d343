"""How movements and fulfilment steps change a level. Movements are append-only."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from gqlstock.rules import quantities
from gqlstock.rules.fast_init import fast_init
from gqlstock.rules.quantities import ZERO
from gqlstock.rules.refusals import Code, InsufficientStock, Refusal, Refused, StaleQuantity, invalid
from gqlstock.rules.settings import InventoryDecrement


class MovementKind(StrEnum):
    """Why onHand changed."""

    ADJUSTMENT = "ADJUSTMENT"
    COUNT = "COUNT"
    RECEIPT = "RECEIPT"
    SALE = "SALE"
    SHIPMENT = "SHIPMENT"
    CANCELLATION = "CANCELLATION"
    RETURN = "RETURN"
    TRANSFER_OUT = "TRANSFER_OUT"
    TRANSFER_IN = "TRANSFER_IN"
    IMPORT = "IMPORT"


COUNTS = (MovementKind.COUNT, MovementKind.IMPORT)
"""The movements that set onHand to a count."""


@fast_init
@dataclass(frozen=True, slots=True)
class Level:
    """The stock of one item in one warehouse, in units of the item. The id is 0 if the level is not stored."""

    on_hand: Decimal = ZERO
    reserved: Decimal = ZERO
    planned: Decimal = ZERO
    held: Decimal = ZERO
    backordered: Decimal = ZERO
    incoming: Decimal = ZERO
    id: int = 0
    item_id: int = 0
    warehouse_id: int = 0
    counted_at: datetime | None = None
    deleted_at: datetime | None = None
    updated_at: datetime | None = None

    @property
    def available(self) -> Decimal:
        return self.on_hand - self.reserved - self.planned - self.held

    @property
    def figures(self) -> tuple[Decimal, ...]:
        return self.on_hand, self.reserved, self.planned, self.held, self.backordered, self.incoming

    def with_figures(self, figures: tuple[Decimal, ...], counted_at: datetime | None, at: datetime | None) -> "Level":
        """The level with new figures."""
        # ``dataclasses.replace`` takes five times as long, and imports change many levels.
        on_hand, reserved, planned, held, backordered, incoming = figures
        place = (self.id, self.item_id, self.warehouse_id)
        return Level(on_hand, reserved, planned, held, backordered, incoming, *place, counted_at, self.deleted_at, at)


@fast_init
@dataclass(frozen=True, slots=True)
class StockMovement:
    """A movement of the ledger. It is never edited or deleted."""

    id: int
    level_id: int
    kind: MovementKind
    quantity: Decimal
    on_hand_after: Decimal
    reason: str | None
    reference: str | None
    actor: str
    order_id: int | None
    created_at: datetime
    seal: int | None = None


@fast_init
@dataclass(frozen=True, slots=True)
class Change:
    """A change of a level's figures. ``kind``: the kind of the movement, if onHand changes."""

    on_hand: Decimal = ZERO
    reserved: Decimal = ZERO
    planned: Decimal = ZERO
    held: Decimal = ZERO
    backordered: Decimal = ZERO
    incoming: Decimal = ZERO
    kind: MovementKind | None = None


FIGURES = ("on_hand", "reserved", "planned", "held", "backordered", "incoming")


def of_figures(figures: Iterable[Decimal], id: int = 0, item_id: int = 0, warehouse_id: int = 0) -> Level:
    """A level with its figures in the order of ``FIGURES``."""
    on_hand, reserved, planned, held, backordered, incoming = figures
    return Level(on_hand, reserved, planned, held, backordered, incoming, id, item_id, warehouse_id)


def total(levels: Iterable[Level]) -> Level:
    """The sum of several levels."""
    summands = list(levels)
    return of_figures(sum((getattr(level, figure) for level in summands), ZERO) for figure in FIGURES)


class FulfilmentStep(StrEnum):
    """A step in the life of ordered units."""

    ORDERED = "ORDERED"
    PACKED = "PACKED"
    UNPACKED = "UNPACKED"
    SHIPPED = "SHIPPED"
    CANCELED = "CANCELED"
    CANCELED_PACKED = "CANCELED_PACKED"
    RETURNED = "RETURNED"


# How each step changes onHand, reserved and planned per unit, and the kind of its movement, by decrement mode. Steps that
# are not listed change nothing. (Oro, CS-Cart and Solidus deduct units when ordered, nopCommerce when shipped.)
_EFFECTS: dict[InventoryDecrement, dict[FulfilmentStep, tuple[int, int, int, MovementKind | None]]] = {
    InventoryDecrement.ON_ORDER: {
        FulfilmentStep.ORDERED: (-1, 0, 0, MovementKind.SALE),
        FulfilmentStep.CANCELED: (+1, 0, 0, MovementKind.CANCELLATION),
        FulfilmentStep.CANCELED_PACKED: (+1, 0, 0, MovementKind.CANCELLATION),
        FulfilmentStep.RETURNED: (+1, 0, 0, MovementKind.RETURN),
    },
    InventoryDecrement.ON_SHIPMENT: {
        FulfilmentStep.ORDERED: (0, +1, 0, None),
        FulfilmentStep.PACKED: (0, -1, +1, None),
        FulfilmentStep.UNPACKED: (0, +1, -1, None),
        FulfilmentStep.SHIPPED: (-1, 0, -1, MovementKind.SHIPMENT),
        FulfilmentStep.CANCELED: (0, -1, 0, None),
        FulfilmentStep.CANCELED_PACKED: (0, 0, -1, None),
        FulfilmentStep.RETURNED: (+1, 0, 0, MovementKind.RETURN),
    },
    InventoryDecrement.NEVER: {},
}


def effect(step: FulfilmentStep, mode: InventoryDecrement, quantity: Decimal, backordered: Decimal = ZERO) -> Change:
    """How a step of ``quantity`` units changes a level. ``backordered`` of them start or stop waiting for stock."""
    on_hand, reserved, planned, kind = _EFFECTS[mode].get(step, (0, 0, 0, None))
    waiting = ZERO if mode is InventoryDecrement.NEVER else backordered
    return Change(
        on_hand=on_hand * quantity,
        reserved=reserved * quantity,
        planned=planned * quantity,
        backordered=waiting if step is FulfilmentStep.ORDERED else -waiting,
        kind=kind,
    )


def written_off(mode: InventoryDecrement, quantity: Decimal) -> Change | None:
    """The change that writes off canceled units; None under NEVER, which does not count ordered units."""
    if mode is InventoryDecrement.NEVER:
        return None
    return Change(on_hand=-quantity, kind=MovementKind.ADJUSTMENT)


def apply(level: Level, change: Change) -> Level:
    """The level after a change. Raises ``Refused`` if the change or a resulting figure is out of range."""
    if abs(change.on_hand) > quantities.MAXIMUM:
        raise invalid(f"A movement cannot exceed {quantities.MAXIMUM} units.")
    figures = (
        level.on_hand + change.on_hand,
        level.reserved + change.reserved,
        level.planned + change.planned,
        level.held + change.held,
        level.backordered + change.backordered,
        level.incoming + change.incoming,
    )
    if max(map(abs, figures)) > quantities.MAXIMUM:
        raise invalid(f"The quantities of a level cannot exceed {quantities.MAXIMUM}.")
    return level.with_figures(figures, level.counted_at, level.updated_at)


def has_room(level: Level, units: Decimal) -> bool:
    """Whether a change of up to ``units`` keeps every figure in range."""
    return max(map(abs, level.figures)) + units <= quantities.MAXIMUM


def combined(one: Change, other: Change) -> Change:
    """The sum of two changes of one kind."""
    summed = {figure: getattr(one, figure) + getattr(other, figure) for figure in FIGURES}
    return Change(**summed, kind=one.kind or other.kind)


def adjusted(level: Level, delta: Decimal, sku: str) -> Change:
    """An adjustment by ``delta``. It may remove allocated units, but not take onHand below 0."""
    if delta == 0:
        raise invalid("The delta must not be 0.", "delta")
    after = level.on_hand + delta
    if delta < 0 and after < 0:
        raise Refused(
            [
                InsufficientStock(
                    message=f"Only {quantities.text(level.on_hand)} of {sku} on hand, "
                    f"cannot remove {quantities.text(-delta)}.",
                    path=("delta",),
                    sku=sku,
                    requested=-delta,
                    salable=max(level.on_hand, ZERO),
                )
            ]
        )
    return Change(on_hand=delta, kind=MovementKind.ADJUSTMENT)


def counted(
    level: Level, count: Decimal, moved_since: Decimal = ZERO, kind: MovementKind = MovementKind.COUNT
) -> Change:
    """A count of onHand at a past time. ``moved_since``: the sum of the movements after that time."""
    return Change(on_hand=count + moved_since - level.on_hand, kind=kind)


def expect(level: Level, expected: Decimal | None, sku: str, warehouse: str) -> None:
    """Compare-and-set: refuse if onHand differs from what the caller expects."""
    if expected is not None and expected != level.on_hand:
        raise Refused(
            [
                StaleQuantity(
                    message=f"{sku} in {warehouse} has {quantities.text(level.on_hand)} on hand, "
                    f"not the expected {quantities.text(expected)}.",
                    path=("expectedOnHand",),
                    sku=sku,
                    warehouse=warehouse,
                    expected=expected,
                    actual=level.on_hand,
                )
            ]
        )


def sent(level: Level, quantity: Decimal, sku: str) -> Change:
    """The outgoing side of a transfer. Refuses more than the available units."""
    check_free(level, quantity, sku)
    return Change(on_hand=-quantity, kind=MovementKind.TRANSFER_OUT)


def check_free(level: Level, quantity: Decimal, sku: str, available: str = "available") -> None:
    """Refuse to take more units than are available. ``available`` may name the warehouse for the message."""
    free = max(level.available, ZERO)
    if quantity > free:
        raise InsufficientStock(
            message=shortage(sku, free, quantity, available),
            path=("quantity",),
            sku=sku,
            requested=quantity,
            salable=free,
        ).only()


def shortage(sku: str, left: Decimal | None, requested: Decimal, available: str = "available") -> str:
    """The message that too few units are available. ``left`` None: the caller may not see how many."""
    few = "Not enough" if left is None else f"Only {quantities.text(left)}" if left > 0 else "None"
    return f"{few} of {sku} {available}, {quantities.text(requested)} requested."


def received(quantity: Decimal) -> Change:
    """The incoming side of a transfer."""
    return Change(on_hand=quantity, kind=MovementKind.TRANSFER_IN)


def check_leaving(level: Level, quantity: Decimal, backordered: Decimal, sku: str) -> None:
    """Refuse to ship units that are not on hand. ``backordered``: units that were deducted from onHand when ordered."""
    on_hand = level.on_hand + backordered
    if quantity > on_hand:
        raise InsufficientStock(
            message=f"Only {quantities.text(on_hand)} of {sku} on hand, cannot ship {quantities.text(quantity)}.",
            path=("number",),
            sku=sku,
            requested=quantity,
            salable=max(on_hand, ZERO),
        ).only()


def check_unused(level: Level, open_allocations: int) -> None:
    """Refuse to take a level out of use while it has units or open allocations. (Solidus)"""
    left = [
        f"{name} {quantities.text(value)}"
        for name, value in (
            ("on hand", level.on_hand),
            ("reserved", level.reserved),
            ("planned", level.planned),
            ("held", level.held),
            ("backordered", level.backordered),
            ("incoming", level.incoming),
        )
        if value
    ]
    if open_allocations:
        left.append(f"{open_allocations} allocation(s) not yet shipped or canceled")
    if left:
        raise Refusal(Code.INVALID_STATE, f"The level is in use: {', '.join(left)}.").only()
