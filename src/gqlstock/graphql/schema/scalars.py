"""The scalars Quantity, DateTime and JSON. Invalid values are refused here, before anything runs."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NewType

import strawberry
from graphql import GraphQLError
from strawberry.types.scalar import ScalarDefinition

from gqlstock.rules import moments, quantities

JSON = NewType("JSON", object)


def write_quantity(value: Decimal) -> int | float:
    return quantities.wire(value)


def _read_quantity(value: Any) -> Decimal:
    try:
        return quantities.parse(value)
    except ValueError as error:
        raise _bad(f"Quantity cannot represent it: {error}") from None


def write_moment(value: datetime) -> str:
    return moments.wire(value)


def _read_moment(value: Any) -> datetime:
    if not isinstance(value, str) or len(value) > 40:
        raise _bad(f"DateTime cannot represent {value!r:.60}. Write it as 2026-01-31T12:00:00Z.")
    try:
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is None:
            raise _bad(f"DateTime {value} has no UTC offset. Write it as 2026-01-31T12:00:00Z.")
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise _bad(f"DateTime cannot represent {value!r}. Write it as 2026-01-31T12:00:00Z.") from None


def _bad(message: str) -> GraphQLError:
    return GraphQLError(message, extensions={"code": "BAD_USER_INPUT"})


SCALARS: dict[object, ScalarDefinition] = {
    Decimal: strawberry.scalar(
        name="Quantity",
        description=(
            "An exact decimal with up to 4 decimal places and at most 99,999,999,999.9999 (exact as a JavaScript number), "
            "never a float internally. Sent as a JSON number, whole numbers without a fraction. Accepted as Int, Float or "
            "String."
        ),
        serialize=write_quantity,
        parse_value=_read_quantity,
    ),
    datetime: strawberry.scalar(
        name="DateTime",
        description="A point in time in ISO 8601, always with a UTC offset. Sent in UTC.",
        serialize=write_moment,
        parse_value=_read_moment,
    ),
    JSON: strawberry.scalar(name="JSON", description="Any JSON value."),
}
