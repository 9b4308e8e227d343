"""Combinations of a product's inventory options: which there can be, and what SKU and name each gets."""

import itertools
import re
from collections.abc import Container, Sequence
from dataclasses import replace
from datetime import datetime

from gqlstock.rules import skus
from gqlstock.rules.catalog import (
    LONGEST_MADE,
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
_LONGEST_NAME = 1_000


def new(product: Item, choice: Choice, made_sku: str, at: datetime) -> Item:
    """The combination of a product for a choice; not stored yet."""
    return replace(
        new_product(made_sku, name(product.name, choice), at),
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
    """A combination's SKU made from its product's and its values, numbered where that is taken already. (CS-Cart)"""
    tail = "-".join("".join(re.findall(r"\w+", value)).upper() or "X" for value in choice.values())
    wanted = skus.normalized(f"{product_sku}-{tail}"[:LONGEST_MADE])
    numbered = (f"{wanted}-{number}" for number in itertools.count(2))
    return next(made for made in itertools.chain([wanted], numbered) if made not in taken)


def sku_start(product_sku: str) -> str:
    """What every SKU begins with that is made for a combination of this product."""
    return f"{product_sku}-"[:LONGEST_MADE]


def name(product_name: str, choice: Choice) -> str:
    return f"{product_name} – {' / '.join(choice.values())}"[:_LONGEST_NAME]


def renamed(choice: Choice, options: Sequence[Option]) -> dict[str, str]:
    """A combination's choice after its options or values got new names; what is not mentioned stays.

    Nothing is left of a choice that has a value for what an option is renamed to: that makes room.
    """
    out: dict[str, str] = {}
    for name, value in choice.items():
        option = _called(name, options)
        new_name = option.name if option else name
        if new_name in out:
            return {}
        new_value = _called(value, option.values) if option else None
        out[new_name] = new_value.name if new_value else value
    return out


def _called(name: str, found: Sequence[Named]) -> Named | None:
    """What stands now for what had that name; a new name that was given goes before one that only stayed."""
    return next((one for one in found if one.renamed_from == name), None) or next(
        (one for one in found if one.name == name), None
    )


def fits(choice: Choice, options: Sequence[Option]) -> bool:
    """Whether a combination is still one of these options': each inventory option has one of its values, no other."""
    wanted = inventory_options(options)
    return 0 < len(choice) == len(wanted) and all(o.name in choice and o.has(choice[o.name]) for o in wanted)
