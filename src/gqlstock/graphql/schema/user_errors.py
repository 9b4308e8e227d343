"""What a mutation refuses, as data in its payload: one type for each kind of refusal."""

from decimal import Decimal
from typing import Any

import strawberry

from gqlstock import trail
from gqlstock.graphql.schema import enums as enums  # registers them
from gqlstock.rules import refusals
from gqlstock.rules.refusals import Code, UnavailableReason

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
