"""Combinations of a product's inventory options: which are possible, their SKUs and names, and which survive a change of
the options, with which choice."""

import itertools
import math
import re
from collections import Counter
from collections.abc import Collection, Container, Mapping, Sequence
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
    inventory_part,
    new_product,
    shown_values,
)
from gqlstock.rules.refusals import invalid, shown, too_many

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


def possible(product: Item) -> int:
    """The number of complete choices of a product's inventory options; 0 if it has none."""
    # Uses the stored form, because converting it to options takes longer than reading the product.
    sizes = [len(option["values"]) for option in product.stored_options if option["inventory"]]
    return math.prod(sizes) if sizes else 0


def every_choice(options: Sequence[Option], *path: str | int) -> list[dict[str, str]]:
    """Every complete choice of the inventory options, in their order."""
    chosen = inventory_options(options)
    if not chosen:
        raise invalid("The product has no inventory option; set inventory to true on at least one.", *path)
    count = choice_count(options)
    if count > MAX_COMBINATIONS:
        raise too_many("combinations", count, MAX_COMBINATIONS, *path)
    names = [o.name for o in chosen]
    return [
        dict(zip(names, values, strict=True))
        for values in itertools.product(*([v.name for v in o.values] for o in chosen))
    ]


def sku(product_sku: str, choice: Choice, taken: Container[str]) -> str:
    """A SKU made from the product's SKU and the chosen values, with a number appended if taken. (CS-Cart)"""
    tail = "-".join("".join(re.findall(r"\w+", value)).upper() or "X" for value in choice.values())
    return skus.free(f"{product_sku}-{tail}"[:MAX_GENERATED], taken)


def sku_start(product_sku: str) -> str:
    """The prefix of every generated SKU of this product's combinations."""
    return f"{product_sku}-"[:MAX_GENERATED]


def name(product_name: str, choice: Choice) -> str:
    return f"{product_name} – {' / '.join(choice.values())}"[:_MAX_NAME]


def renamed(choice: Choice, options: Sequence[Option]) -> dict[str, str]:
    """A combination's choice after renames of options and values.

    Empty if an option gets the name of another option in the choice.
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
    """The option or value that had this name before. A renamed one takes precedence over one with that name now."""
    return next((one for one in found if one.renamed_from == name), None) or next(
        (one for one in found if one.name == name), None
    )


def check_renames(before: Sequence[Option], after: Sequence[Option], *path: str | int) -> None:
    """Refuse to rename an unknown option or value, or one of them twice. Repeating an earlier rename is allowed."""
    old = {o.name: o for o in before}
    _check_renames(after, old.keys(), "option", *path)
    for number, option in enumerate(after):
        known = old.get(option.renamed_from or "") or old.get(option.name)
        values = {v.name for v in known.values} if known else set()
        _check_renames(option.values, values, "value", *path, number, "values")


def _check_renames(found: Sequence[Named], before: Collection[str], kind: str, *path: str | int) -> None:
    seen: set[str] = set()
    for number, one in enumerate(found):
        old = one.renamed_from
        if old is None:
            continue
        if old not in before and one.name not in before:
            raise invalid(f"There is no {kind} {shown(old)} to rename.", *path, number, "renamedFrom")
        if old in seen:
            raise invalid(f"The {kind} {shown(old)} cannot have two new names.", *path, number, "renamedFrom")
        seen.add(old)


def check_existing(members: Sequence[Item], options: Sequence[Option], *path: str | int) -> None:
    """Refuse a new inventory option without ``existing``, the value that existing combinations take."""
    choices = [renamed(member.choice, options) for member in members]
    for number, option in enumerate(options):
        is_new = option.inventory and any(choice and option.name not in choice for choice in choices)
        if is_new and option.existing is None:
            raise invalid(
                f"{shown(option.name)} is new to the product's combinations; set existing to the value that they take, "
                f"one of: {shown_values(option)}.",
                *path,
                number,
                "existing",
            )


def following(
    members: Sequence[Item], options: Sequence[Option], named: Mapping[str, Choice] | None = None
) -> tuple[list[tuple[Item, dict[str, str]]], list[Item]]:
    """The combinations that survive under these options, with their choices, and those that do not.

    A combination follows renames, loses the values of options that are no longer inventory options, and takes a value of
    each new option: from ``named`` (the choices by SKU in an import), else ``existing``. It does not survive if a value is
    missing or removed, or if another combination gets the same choice.
    """
    found = [(member, _followed(member, options, named or {})) for member in members]
    fitting = [(member, choice) for member, choice in found if fits(choice, options)]
    # A changed combination replaces an unchanged one with the same choice. Of two changed ones, neither survives.
    changed = Counter(digest(choice) for member, choice in fitting if choice != member.choice)
    stay = [
        (member, choice)
        for member, choice in fitting
        if changed[digest(choice)] == (0 if choice == member.choice else 1)
    ]
    staying = {member.id for member, _ in stay}
    return stay, [member for member in members if member.id not in staying]


def _followed(member: Item, options: Sequence[Option], named: Mapping[str, Choice]) -> dict[str, str]:
    """A combination's choice under these options, in their order. Missing values are left out."""
    choice = renamed(member.choice, options)
    if not choice:
        return {}
    added = {option.name: option.existing for option in options if option.existing is not None}
    return inventory_part({**added, **named.get(member.sku, {}), **choice}, options)


def fits(choice: Choice, options: Sequence[Option]) -> bool:
    """Whether a choice has exactly one valid value for each inventory option."""
    wanted = inventory_options(options)
    return 0 < len(choice) == len(wanted) and all(o.name in choice and o.has(choice[o.name]) for o in wanted)
