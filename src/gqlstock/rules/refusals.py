"""Refusals of a caller's input. A refusal names the wrong value and what would be valid. Bugs are not refusals."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from typing import Self

Path = tuple[str | int, ...]


class Code(StrEnum):
    INVALID_INPUT = "INVALID_INPUT"
    NOT_FOUND = "NOT_FOUND"
    ALREADY_EXISTS = "ALREADY_EXISTS"
    INSUFFICIENT_STOCK = "INSUFFICIENT_STOCK"
    QUANTITY_NOT_ALLOWED = "QUANTITY_NOT_ALLOWED"
    NOT_ORDERABLE = "NOT_ORDERABLE"
    STALE_QUANTITY = "STALE_QUANTITY"
    NOT_RETURNABLE = "NOT_RETURNABLE"
    INVALID_STATE = "INVALID_STATE"
    IDEMPOTENCY_CONFLICT = "IDEMPOTENCY_CONFLICT"
    HOLD_EXPIRED = "HOLD_EXPIRED"
    NOT_TRACKED = "NOT_TRACKED"
    TOO_MANY = "TOO_MANY"


class UnavailableReason(StrEnum):
    """Why an item cannot be ordered. Of several reasons, the first in this order is reported."""

    NOT_PUBLISHED = "NOT_PUBLISHED"
    STATUS_NOT_ORDERABLE = "STATUS_NOT_ORDERABLE"
    SELECT_OPTIONS = "SELECT_OPTIONS"
    COMBINATION_UNAVAILABLE = "COMBINATION_UNAVAILABLE"
    NOT_SOLD_HERE = "NOT_SOLD_HERE"
    NO_QUANTITY_ALLOWED = "NO_QUANTITY_ALLOWED"
    LOW_STOCK_UNPUBLISHED = "LOW_STOCK_UNPUBLISHED"
    LOW_STOCK_BUY_DISABLED = "LOW_STOCK_BUY_DISABLED"
    OUT_OF_STOCK = "OUT_OF_STOCK"


@dataclass(frozen=True, slots=True)
class QuantityRules:
    """The quantities in which an item may be ordered. None means no such rule."""

    minimum: Decimal | None = None
    maximum: Decimal | None = None
    increment: Decimal | None = None
    allowed: tuple[Decimal, ...] | None = None
    decimals: bool = False


@dataclass(frozen=True, slots=True)
class Refusal:
    """One error in an input. ``path``: where in the input, such as ("lines", 0, "quantity")."""

    code: Code
    message: str
    path: Path = ()

    def under(self, *prefix: str | int) -> Self:
        """The same refusal with a prefix to its path."""
        return replace(self, path=(*prefix, *self.path))

    def only(self) -> "Refused":
        return Refused([self])


@dataclass(frozen=True, slots=True, kw_only=True)
class InsufficientStock(Refusal):
    code: Code = Code.INSUFFICIENT_STOCK
    sku: str
    requested: Decimal
    salable: Decimal | None
    """None if the caller may not see it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QuantityNotAllowed(Refusal):
    code: Code = Code.QUANTITY_NOT_ALLOWED
    sku: str
    requested: Decimal
    rules: QuantityRules


@dataclass(frozen=True, slots=True, kw_only=True)
class NotOrderable(Refusal):
    code: Code = Code.NOT_ORDERABLE
    sku: str
    reason: UnavailableReason


@dataclass(frozen=True, slots=True, kw_only=True)
class StaleQuantity(Refusal):
    code: Code = Code.STALE_QUANTITY
    sku: str
    warehouse: str
    expected: Decimal
    actual: Decimal


class Refused(Exception):
    """An input was refused. It has all refusals that were found; nothing was written."""

    def __init__(self, refusals: Iterable[Refusal]) -> None:
        self.refusals: Sequence[Refusal] = tuple(refusals)
        super().__init__("; ".join(r.message for r in self.refusals))


@contextmanager
def collected(refused: list[Refusal], *prefix: str | int) -> Iterator[None]:
    """Collect the refusals that the block raises, with a prefix to their paths."""
    try:
        yield
    except Refused as error:
        refused += [refusal.under(*prefix) for refusal in error.refusals]


def invalid(message: str, *path: str | int) -> Refused:
    return Refusal(Code.INVALID_INPUT, message, path).only()


def missing(kind: str, value: str, *path: str | int) -> Refused:
    """A named object does not exist: ``missing("warehouse", "BERLIN", "warehouse")``."""
    return Refusal(Code.NOT_FOUND, f"There is no {kind} {shown(value)}.", path).only()


def out_of_reach(warehouse: str, *path: str | int) -> Refused:
    """The caller's token has no access to the named warehouse."""
    return Refusal(Code.NOT_FOUND, f"The token has no access to the warehouse {shown(warehouse)}.", path).only()


def moves_elsewhere(*path: str | int) -> Refusal:
    """The request would move stock of a warehouse that the caller's token has no access to."""
    return Refusal(Code.NOT_FOUND, "Some of its units are in a warehouse that the token has no access to.", path)


def taken(kind: str, value: str, *path: str | int) -> Refused:
    return Refusal(Code.ALREADY_EXISTS, f"The {kind} {shown(value)} already exists.", path).only()


def too_many(what: str, count: int, limit: int, *path: str | int) -> Refused:
    return Refusal(Code.TOO_MANY, f"At most {limit} {what} per call, {count} given.", path).only()


def wrong_state(message: str, *path: str | int) -> Refused:
    return Refusal(Code.INVALID_STATE, message, path).only()


def shown(value: str) -> str:
    """A caller's value for a message, truncated to 80 characters."""
    return value if len(value) <= 80 else f"{value[:79]}…"
