"""Combinations of a product's inventory options: the possible ones, and the SKU and name of each."""

import itertools
import re
from collections.abc import Container, Sequence
from dataclasses import replace
from datetime import datetime

from gqlstock.rules import skus
from gqlstock.rules.catalog import (
    MAX_GENERATED,
    Choice,
    Item,
    Named,
    Option,
    choice_count,
    digest,
    inventory_options,
    new_product,
)
from gqlstock.rules.refusals import invalid, too_many

MAX_COMBINATIONS = 2_000
_MAX_NAME = 1_000


def new(product: Item, choice: Choice, new_sku: str, at: datetime) -> Item:
    """A new combination of a product for a choice, not stored yet."""
    return replace(
        new_product(new_sku, name(product.name, choice), at),
        product_id=product.id,
        category_id=product.category_id,
        inventory_status=product.inventory_status,
        choice=dict(choice),
        choice_digest=digest(choice),
    )


def every_choice(options: Sequence[Option], *path: str | int) -> list[dict[str, str]]:
    """Every complete choice of the inventory options, in their order."""
    chosen = inventory_options(options)
    if not chosen:
        raise invalid("The product has no option that makes combinations: tick inventory on one.", *path)
    count = choice_count(options)
    if count > MAX_COMBINATIONS:
        raise too_many("combinations", count, MAX_COMBINATIONS, *path)
    names = [o.name for o in chosen]
    return [
        dict(zip(names, values, strict=True))
        for values in itertools.product(*([v.name for v in o.values] for o in chosen))
    ]


def sku(product_sku: str, choice: Choice, taken: Container[str]) -> str:
    """A combination's SKU made from its product's and its values, with a number where that is taken. (CS-Cart)"""
    tail = "-".join("".join(re.findall(r"\w+", value)).upper() or "X" for value in choice.values())
    wanted = skus.normalized(f"{product_sku}-{tail}"[:MAX_GENERATED])
    numbered = (f"{wanted}-{number}" for number in itertools.count(2))
    return next(candidate for candidate in itertools.chain([wanted], numbered) if candidate not in taken)


def sku_start(product_sku: str) -> str:
    """The start of every SKU that is generated for a combination of this product."""
    return f"{product_sku}-"[:MAX_GENERATED]


def name(product_name: str, choice: Choice) -> str:
    return f"{product_name} – {' / '.join(choice.values())}"[:_MAX_NAME]


def renamed(choice: Choice, options: Sequence[Option]) -> dict[str, str]:
    """A combination's choice after renames of options and values.

    Empty where an option is renamed to another one that the choice has, too.
    """
    renamed_choice: dict[str, str] = {}
    for name, value in choice.items():
        option = _called(name, options)
        new_name = option.name if option else name
        if new_name in renamed_choice:
            return {}
        new_value = _called(value, option.values) if option else None
        renamed_choice[new_name] = new_value.name if new_value else value
    return renamed_choice


def _called(name: str, found: Sequence[Named]) -> Named | None:
    """The option or value that had this name before. A renamed one wins over one that has the name now."""
    return next((one for one in found if one.renamed_from == name), None) or next(
        (one for one in found if one.name == name), None
    )


def fits(choice: Choice, options: Sequence[Option]) -> bool:
    """Whether a choice has exactly one valid value for each inventory option."""
    wanted = inventory_options(options)
    return 0 < len(choice) == len(wanted) and all(o.name in choice and o.has(choice[o.name]) for o in wanted)
