"""The base of commands on the units of one order: the rows they name and lock, the reason and the answer."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Generic, Protocol, TypeVar

from gqlstock.rules import catalog, orders
from gqlstock.rules.idempotency import IdempotencyKey
from gqlstock.rules.scopes import Caller
from gqlstock.services.open_order import LineQuantity, OpenOrder
from gqlstock.stock import idempotency, transaction
from gqlstock.stock.command import Changes, Names, Result
from gqlstock.stock.snapshot import Snapshot


class _OfOrder(Protocol):
    @property
    def number(self) -> str: ...


class OrderRows(_OfOrder, Protocol):
    """Rows of an order. ``lines`` None: all of its units."""

    @property
    def lines(self) -> Sequence[LineQuantity] | None: ...


R = TypeVar("R", bound=_OfOrder)
Rows = TypeVar("Rows", bound=OrderRows)


@dataclass(frozen=True, slots=True)
class OrderCommand(ABC, Generic[R]):
    """A command on one order. It locks the items of the order's units. ``reason``: the reason of its movements."""

    caller: Caller
    request: R
    key: IdempotencyKey | None
    reason: str | None = None

    mutation: ClassVar[str]
    """The name of the mutation; idempotency keys are scoped to it."""
    named_at: ClassVar[str] = "number"
    """The input field that names the order."""

    @classmethod
    async def run(cls, caller: Caller, request: R, key: str | None, reason: str | None = None) -> Result:
        """Check the reason, and run the command."""
        checked = catalog.optional_text(reason, "reason", "reason")
        return await transaction.run(
            cls(caller, request, idempotency.key_of(caller, cls.mutation, key, request), checked)
        )

    @property
    def names(self) -> Names:
        return Names(orders=orders.named(self.request.number))

    @property
    @abstractmethod
    def size(self) -> int: ...

    @abstractmethod
    def decide(self, snapshot: Snapshot, now: datetime) -> Changes: ...

    def items(self, snapshot: Snapshot) -> Collection[int]:
        return snapshot.items_of_order(self.request.number)

    def open(self, snapshot: Snapshot) -> OpenOrder:
        return OpenOrder(self.caller, self.request.number, snapshot, self.named_at)

    def changes(self, open_order: OpenOrder) -> Changes:
        """The changes of the command, which answers with the order's id."""
        return open_order.changes(lambda written: Result({"order": [open_order.order.id]}), self.reason)


@dataclass(frozen=True, slots=True)
class RowsCommand(OrderCommand[Rows], ABC):
    """A command on rows of an order."""

    @property
    def size(self) -> int:
        return len(self.request.lines or ()) or 1
