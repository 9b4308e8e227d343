"""Which option values a shopper can choose next, given the choice so far."""

from collections.abc import Iterable
from dataclasses import dataclass

from gqlstock.rules import catalog
from gqlstock.rules.assortment import Assortment
from gqlstock.rules.catalog import Choice, Item, Option


@dataclass(frozen=True, slots=True)
class ChoiceValue:
    """A value to choose next. ``exists``: whether a combination has it; ``orderable``: whether it can then be ordered."""

    name: str
    selected: bool
    exists: bool
    orderable: bool


def values(product: Item, option: Option, choice: Choice, assortment: Assortment) -> list[ChoiceValue]:
    """The values of one option, given the choices of the others."""
    return [_value(product, option, value.name, choice, assortment) for value in option.values]


def _value(product: Item, option: Option, value: str, choice: Choice, assortment: Assortment) -> ChoiceValue:
    selected = choice.get(option.name) == value
    wanted = catalog.inventory_part({**choice, option.name: value}, product.options)
    fitting = [c for c in assortment.combinations(product) if wanted.items() <= c.choice.items()]
    if not catalog.counts_combinations(product.tracking):
        # The stock is counted on the product, so all combinations are orderable or none is.
        return ChoiceValue(value, selected, exists=True, orderable=assortment.assess(product).orderable)
    orderable = any(assortment.assess(c).orderable for c in fitting)
    if not orderable and not assortment.settings(product).allow_only_existing_combinations:
        possible = catalog.choice_count(product.options, fixed=wanted)
        orderable = len(fitting) < possible and assortment.assess(product, dict(_any_choice(product, wanted))).orderable
    return ChoiceValue(value, selected, bool(fitting), orderable)


def _any_choice(product: Item, wanted: Choice) -> Iterable[tuple[str, str]]:
    """A complete choice that includes the wanted values."""
    return ((o.name, wanted.get(o.name, o.values[0].name)) for o in catalog.inventory_options(product.options))
