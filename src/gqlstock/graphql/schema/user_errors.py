"""Refusals of mutations as data in their payloads: one type for each kind of refusal."""

from decimal import Decimal
from typing import Any

import strawberry

from gqlstock import trail
from gqlstock.graphql.schema import enums as enums  # registers them
from gqlstock.rules import refusals
from gqlstock.rules.refusals import Code, UnavailableReason

_CODE = "The kind of refusal, for programs."
_MESSAGE = "An explanation, for people."
_PATH = 'The place in the input, such as ["lines", "0", "quantity"].'


@strawberry.interface(description="A part of an input that was refused. Nothing of the input was written.")
class UserError:
    code: Code = strawberry.field(description=_CODE)
    message: str = strawberry.field(description=_MESSAGE)
    path: list[str] = strawberry.field(description=_PATH)


@strawberry.type(description="An input that is invalid, or conflicts with the current state.")
class InputError(UserError):
    pass


@strawberry.type(description="The quantities in which an item can be ordered.")
class QuantityRules:
    minimum: Decimal | None = strawberry.field(description="The minimum quantity per order. Null: none.")
    maximum: Decimal | None = strawberry.field(description="The maximum quantity per order. Null: none.")
    increment: Decimal | None = strawberry.field(description="Quantities must be multiples of this number. Null: any.")
    allowed: list[Decimal] | None = strawberry.field(description="The only allowed quantities. Null: no such list.")
    decimals: bool = strawberry.field(description="Whether fractions of a unit can be ordered.")

    @classmethod
    def of(cls, rules: refusals.QuantityRules) -> "QuantityRules":
        return cls(
            minimum=rules.minimum,
            maximum=rules.maximum,
            increment=rules.increment,
            allowed=list(rules.allowed) if rules.allowed else None,
            decimals=rules.decimals,
        )


@strawberry.type(description="Less stock is available than was requested.")
class InsufficientStockError(UserError):
    sku: str = strawberry.field(description="The SKU of the item that is short.")
    requested: Decimal = strawberry.field(description="The requested quantity, over all lines.")
    salable: Decimal | None = strawberry.field(
        description="The quantity that can be ordered. Null if the caller may not see salableQuantity."
    )


@strawberry.type(description="The quantity violates the item's quantity rules.")
class QuantityNotAllowedError(UserError):
    sku: str = strawberry.field(description="The SKU of the item.")
    requested: Decimal = strawberry.field(description="The requested quantity, over all lines.")
    rules: QuantityRules = strawberry.field(description="The item's quantity rules.")


@strawberry.type(description="The item cannot be ordered in any quantity.")
class NotOrderableError(UserError):
    sku: str = strawberry.field(description="The SKU of the item.")
    reason: UnavailableReason = strawberry.field(description="Why it cannot be ordered.")


@strawberry.type(description="The stock differs from the quantity that the caller expected.")
class StaleQuantityError(UserError):
    sku: str = strawberry.field(description="The item.")
    warehouse: str = strawberry.field(description="The warehouse's code.")
    expected: Decimal = strawberry.field(description="The value of onHand that the caller expected.")
    actual: Decimal = strawberry.field(description="The actual value of onHand.")


USER_ERRORS = [InputError, InsufficientStockError, QuantityNotAllowedError, NotOrderableError, StaleQuantityError]


def user_error(refusal: refusals.Refusal) -> UserError:
    """The user error for a refusal."""
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
