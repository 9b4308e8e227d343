"""Custom Tortoise fields: exact quantities and their sums, SKUs, and text folded for search."""

from collections.abc import Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Any

from pypika_tortoise.terms import Field as Column
from pypika_tortoise.terms import Function as SqlFunction
from pypika_tortoise.terms import Term, ValueWrapper
from tortoise.expressions import Function
from tortoise.fields.data import BigIntField, CharField, TextField
from tortoise.models import Model

from gqlstock.rules import folding, quantities, skus

_SCALE = 10**quantities.PLACES


def to_units(quantity: Decimal) -> int:
    """The stored form of a quantity: an integer, in ten-thousandths."""
    return int(quantity * _SCALE)


@lru_cache(maxsize=16_384)
def from_units(stored: int) -> Decimal:
    """The quantity of a stored integer of ten-thousandths."""
    whole, parts = divmod(stored, _SCALE)
    return Decimal(stored).scaleb(-quantities.PLACES) if parts else Decimal(whole)


@lru_cache(maxsize=16_384)
def wire_units(stored: int) -> int | float:
    """The JSON number of a stored integer, equal to ``quantities.wire`` of its quantity."""
    whole, parts = divmod(stored, _SCALE)
    return float(stored / _SCALE) if parts else whole


class _QuantityColumn(Column):
    """A quantity column in an ``F()`` expression. Numbers added to it or subtracted from it are quantities."""

    def __add__(self, other: Any) -> Any:
        return super().__add__(_scaled(other))

    def __sub__(self, other: Any) -> Any:
        return super().__sub__(_scaled(other))


def _scaled(term: Any) -> Any:
    if isinstance(term, ValueWrapper) and isinstance(term.value, int | Decimal):
        return ValueWrapper(to_units(Decimal(term.value)))
    return term


def _as_quantity_column(_field: Any, term: Term) -> Term:
    return _QuantityColumn(term.name, table=term.table) if type(term) is Column else term


class SkuField(CharField[str]):
    """A SKU or a code. It is stored and looked up in normalized form."""

    def to_db_value(self, value: Any, instance: Any) -> Any:
        return super().to_db_value(skus.normalized(value) if isinstance(value, str) else value, instance)

    def describe(self, serializable: bool) -> dict[str, Any]:  # noqa: FBT001
        """A plain CharField for migrations, because the column is the same."""
        return super().describe(serializable) | {"field_type": "CharField" if serializable else CharField}


class FoldedField(TextField):
    """Other fields of the row, folded for search. Computed whenever the row is written."""

    def __init__(self, of: Sequence[str] = (), **kwargs: Any) -> None:
        super().__init__(**kwargs | {"null": True})
        self.of = tuple(of)

    def to_db_value(self, value: Any, instance: Any) -> Any:
        if isinstance(instance, Model):
            value = folding.folded(*(getattr(instance, name) for name in self.of))
        return super().to_db_value(value, instance)


class QuantityField(BigIntField):
    """An exact decimal with four places, stored as ten-thousandths in a 64-bit integer.

    Both databases add, sum, compare and sort it exactly. In Python it is a Decimal. Ints are
    stored values, in ten-thousandths, so writing an int is an error.
    """

    field_type = Decimal
    # Tortoise passes a column in F() through this function.
    function_cast = staticmethod(_as_quantity_column)  # type: ignore[assignment]

    def to_db_value(self, value: Any, instance: Any) -> int | None:
        if value is None:
            return None
        if not isinstance(value, Decimal):
            raise TypeError(f"A quantity must be a Decimal, not {value!r}.")
        return to_units(quantities.check(value))

    def to_python_value(self, value: Any) -> Any:
        return from_units(value) if isinstance(value, int) else value


class _SumOfUnits(SqlFunction):
    """SUM as a 64-bit integer. PostgreSQL's SUM returns a numeric, which would be mistaken for a Decimal quantity."""

    def __init__(self, term: Any, alias: str | None = None) -> None:
        super().__init__("CAST", SqlFunction("SUM", term), alias=alias)

    def get_special_params_sql(self, ctx: Any) -> str:
        return "AS BIGINT"


class Total(Function):
    """The sum of a quantity column, as a quantity; None if there are no rows."""

    database_func = _SumOfUnits
    populate_field_object = True
