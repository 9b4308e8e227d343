"""What callers see when something is refused or goes wrong: user errors as data, coded errors, masked bugs."""

import logging
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import strawberry
from graphql import GraphQLError
from strawberry.extensions import SchemaExtension

from gqlstock import logs, trail
from gqlstock.graphql import enums as enums  # registers them
from gqlstock.graphql import outcomes
from gqlstock.rules import refusals
from gqlstock.rules.refusals import Code, UnavailableReason
from gqlstock.stock.transaction import CommitUnknown

log = logging.getLogger(__name__)


_COMMIT_UNKNOWN = (
    "It is not known whether the change was made: send it again with the same idempotencyKey, and it is made once. "
    "Without one, look first whether it was made."
)


class CodedError(GraphQLError):
    """A query that cannot be answered, told as it is; ``extensions.code`` says what kind it is."""

    code = "BAD_USER_INPUT"

    def __init__(self, message: str) -> None:
        super().__init__(message, extensions={"code": self.code})


class BadUserInput(CodedError):
    code = "BAD_USER_INPUT"


class InvalidCursor(CodedError):
    code = "INVALID_CURSOR"


class Unauthenticated(CodedError):
    code = "UNAUTHENTICATED"


class Forbidden(CodedError):
    code = "FORBIDDEN"


class QueryTooComplex(CodedError):
    code = "QUERY_TOO_COMPLEX"


class OperationNotAllowed(CodedError):
    """The kind of operation is not for the way that it came, such as a mutation by GET."""


class TooSlow(CodedError):
    code = "TIMEOUT"


class TooManySubscriptions(CodedError):
    code = "TOO_MANY_REQUESTS"


class MaskErrors(SchemaExtension):
    """Gives every error a code. What nobody foresaw goes to the log under an id; callers see the id alone."""

    _streams = False

    def on_operation(self) -> Iterator[None]:
        self._streams = False
        outcomes.begin()
        yield
        if not self._streams:
            self._process(self.execution_context.result)

    def get_results(self) -> dict[str, Any]:
        # What is wrong before anything runs, such as the syntax, does not pass through the operation.
        errors = self.execution_context.pre_execution_errors
        if errors:
            errors[:] = [coded(error) for error in errors]
        return {}

    def on_stream_result(self, result: Any) -> Iterator[None]:
        self._streams = True
        self._process(result)
        yield

    def _process(self, result: object) -> None:
        errors = getattr(result, "errors", None)
        if errors:
            result.errors = [_with_outcome(coded(error)) for error in errors]  # type: ignore[attr-defined]


def without_frames(error: GraphQLError) -> GraphQLError:
    """The error, to be kept: with its tracebacks it would keep frames, and what they have in them, itself perhaps."""
    one: BaseException | None = error
    while one is not None:
        one.__traceback__ = one.__context__ = None
        one = getattr(one, "original_error", None) or one.__cause__
    return error


def coded(error: GraphQLError) -> GraphQLError:
    """The error as callers may see it."""
    if error.extensions and "code" in error.extensions:
        return error
    cause = error.original_error
    if isinstance(cause, GraphQLError) and cause.extensions and "code" in cause.extensions:
        return _again(error, error.message, dict(cause.extensions))
    if cause is None or isinstance(cause, GraphQLError):
        # The language's own: a syntax error, an unknown field, a value of the wrong kind.
        return _again(error, error.message, {"code": "BAD_USER_INPUT"})
    if isinstance(cause, refusals.Refused):
        return _again(error, str(cause), {"code": "BAD_USER_INPUT"})
    message = logs.incident(log, f"at {error.path}", cause)
    if isinstance(cause, CommitUnknown):
        message = f"{message} {_COMMIT_UNKNOWN}"
    return _again(error, message, {"code": "INTERNAL"})


def _with_outcome(error: GraphQLError) -> GraphQLError:
    """The error, with what became of the mutation that it is a part of."""
    told = outcomes.told(error.path)
    return _again(error, error.message, {**(error.extensions or {}), **told}) if told else error


def _again(error: GraphQLError, message: str, extensions: dict[str, Any]) -> GraphQLError:
    return GraphQLError(
        message,
        nodes=error.nodes,
        source=error.source,
        positions=error.positions,
        path=error.path,
        extensions=extensions,
    )


_CODE = "What kind of refusal it is, for programs."
_MESSAGE = "A sentence for a person."
_PATH = 'Where in the input, such as ["lines", "0", "quantity"].'


@strawberry.interface(description="Something in an input that was refused; nothing of that input was written.")
class UserError:
    code: Code = strawberry.field(description=_CODE)
    message: str = strawberry.field(description=_MESSAGE)
    path: list[str] = strawberry.field(description=_PATH)


@strawberry.type(description="An input that is wrong in itself, or does not fit how things stand.")
class InputError(UserError):
    pass


@strawberry.type(description="How many of an item can be ordered at once.")
class QuantityRules:
    minimum: Decimal | None = strawberry.field(description="The fewest units in one order.")
    maximum: Decimal | None = strawberry.field(description="The most units in one order.")
    increment: Decimal | None = strawberry.field(description="Quantities are multiples of it, counted from 0.")
    allowed: list[Decimal] | None = strawberry.field(description="The only quantities that can be ordered.")
    decimals: bool = strawberry.field(description="Whether parts of a unit can be ordered.")

    @classmethod
    def of(cls, rules: refusals.QuantityRules) -> "QuantityRules":
        return cls(
            minimum=rules.minimum,
            maximum=rules.maximum,
            increment=rules.increment,
            allowed=list(rules.allowed) if rules.allowed else None,
            decimals=rules.decimals,
        )


@strawberry.type(description="There is not as much as was asked for.")
class InsufficientStockError(UserError):
    sku: str = strawberry.field(description="The item that is short.")
    requested: Decimal = strawberry.field(description="How much of it all lines together ask for.")
    salable: Decimal | None = strawberry.field(
        description="How much can be had; null where the caller may not see salableQuantity."
    )


@strawberry.type(description="The quantity breaks the rules that the item is sold by.")
class QuantityNotAllowedError(UserError):
    sku: str = strawberry.field(description="The item whose rules are broken.")
    requested: Decimal = strawberry.field(description="How much of it all lines together ask for.")
    rules: QuantityRules = strawberry.field(description="The rules that it is sold by.")


@strawberry.type(description="The item cannot be ordered, whatever the quantity.")
class NotOrderableError(UserError):
    sku: str = strawberry.field(description="The item that cannot be ordered.")
    reason: UnavailableReason = strawberry.field(description="Why not.")


@strawberry.type(description="The stock is not what the caller took it for.")
class StaleQuantityError(UserError):
    sku: str = strawberry.field(description="The item.")
    warehouse: str = strawberry.field(description="The warehouse's code.")
    expected: Decimal = strawberry.field(description="What the caller took onHand for.")
    actual: Decimal = strawberry.field(description="What onHand is.")


USER_ERRORS = [InputError, InsufficientStockError, QuantityNotAllowedError, NotOrderableError, StaleQuantityError]


def user_error(refusal: refusals.Refusal) -> UserError:
    """The one list that makes each refusal a user error."""
    trail.refused(refusal.code)
    common: dict[str, Any] = {
        "code": refusal.code,
        "message": refusal.message,
        "path": [str(part) for part in refusal.path],
    }
    match refusal:
        case refusals.InsufficientStock(sku=sku, requested=requested, salable=salable):
            return InsufficientStockError(**common, sku=sku, requested=requested, salable=salable)
        case refusals.QuantityNotAllowed(sku=sku, requested=requested, rules=rules):
            return QuantityNotAllowedError(**common, sku=sku, requested=requested, rules=QuantityRules.of(rules))
        case refusals.NotOrderable(sku=sku, reason=reason):
            return NotOrderableError(**common, sku=sku, reason=reason)
        case refusals.StaleQuantity(sku=sku, warehouse=warehouse, expected=expected, actual=actual):
            return StaleQuantityError(**common, sku=sku, warehouse=warehouse, expected=expected, actual=actual)
    return InputError(**common)
