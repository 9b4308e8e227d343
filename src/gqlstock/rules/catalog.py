"""What products, options and combinations are: codes, choices, tracking. Nothing here counts stock."""

import hashlib
import itertools
import json
import math
import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeVar

from gqlstock.rules.ids import UNSTORED
from gqlstock.rules.refusals import invalid, shown, too_many

MAX_IMAGES = 250
MAX_OPTIONS = 100
MAX_VALUES = 2_000
LONGEST_MADE = 240
"""Leaves a made SKU or slug room for a number."""


class InventoryTracking(StrEnum):
    DO_NOT_TRACK = "DO_NOT_TRACK"
    TRACK_WITHOUT_OPTIONS = "TRACK_WITHOUT_OPTIONS"
    TRACK_WITH_OPTIONS = "TRACK_WITH_OPTIONS"


class InventoryStatus(StrEnum):
    IN_STOCK = "IN_STOCK"
    OUT_OF_STOCK = "OUT_OF_STOCK"
    DISCONTINUED = "DISCONTINUED"


@dataclass(frozen=True, slots=True)
class Image:
    url: str
    alt: str | None = None


@dataclass(frozen=True, slots=True)
class OptionValue:
    name: str
    images: tuple[Image, ...] = ()
    renamed_from: str | None = None


@dataclass(frozen=True, slots=True)
class Option:
    """An option of a product, such as Size. Only those for inventory make combinations. (CS-Cart)"""

    name: str
    values: tuple[OptionValue, ...]
    inventory: bool = True
    renamed_from: str | None = None

    def has(self, value: str) -> bool:
        return any(v.name == value for v in self.values)


Named = TypeVar("Named", Option, OptionValue)

Choice = Mapping[str, str]
"""Option name to value name: what a shopper has picked."""

# Longest texts, in characters: as long as people need, as short as an index allows, and no longer than their column.
# A kind of text that is not listed here has no limit and is a bug.
_LONGEST = {"sku": 255, "code": 255, "slug": 255, "barcode": 255, "name": 500, "Title": 500, "description": 60_000}
_LONGEST |= {"reason": 1_000, "reference": 255, "url": 2_000, "alt": 500, "option": 100, "email": 254, "address": 500}
_LONGEST |= {"idempotencyKey": 255, "trackingNumber": 255, "carrier": 255, "token name": 255}
_UNPRINTABLE = ("Cc", "Cs")
_SLUG = re.compile(r"[^\W_]+(?:-[^\W_]+)*")


def text(value: str, kind: str, *path: str | int, required: bool = True) -> str:
    """A caller's text, trimmed; refused when it is empty, too long, or has what cannot be kept in it."""
    trimmed = value.strip()
    if required and not trimmed:
        raise invalid(f"The {kind} must not be empty.", *path)
    longest = _LONGEST[kind]
    if len(trimmed) > longest:
        raise invalid(f"The {kind} {shown(trimmed)} has {len(trimmed)} characters: at most {longest}.", *path)
    if any(unicodedata.category(c) in _UNPRINTABLE and c not in "\n\r\t" for c in trimmed):
        raise invalid(f"The {kind} has a control character in it.", *path)
    return trimmed


def optional_text(value: str | None, kind: str, *path: str | int) -> str | None:
    """As ``text``; nothing and the empty text are both None."""
    return (text(value, kind, *path, required=False) or None) if value is not None else None


def email(value: str, *path: str | int) -> str:
    """An address as it is given: what can be mailed is the mailer's business."""
    given = text(value, "email", *path)
    if given.count("@") != 1 or given.startswith("@") or given.endswith("@") or any(c.isspace() for c in given):
        raise invalid(f"{shown(given)} is no e-mail address: one @ between two parts, and no blanks.", *path)
    return given


def images(found: Sequence[Image], *path: str | int) -> tuple[Image, ...]:
    """Pictures as an item or an option's value may have them."""
    if len(found) > MAX_IMAGES:
        raise too_many("pictures", len(found), MAX_IMAGES, *path)
    return tuple(
        Image(text(image.url, "url", *path, number, "url"), optional_text(image.alt, "alt", *path, number, "alt"))
        for number, image in enumerate(found)
    )


def slug_from(name: str) -> str:
    """A slug made from a name: Garden tools → garden-tools."""
    return "-".join(re.findall(r"[^\W_]+", name.lower()))[: _LONGEST["slug"]].strip("-")


def free_slug(name: str, taken: Collection[str]) -> str:
    """A product's slug made from its name, numbered where that is taken already."""
    wanted = slug_from(name) or "product"
    numbered = (f"{wanted[:LONGEST_MADE].strip('-')}-{number}" for number in itertools.count(2))
    return next(slug for slug in itertools.chain([wanted], numbered) if slug not in taken)


def slug(value: str, *path: str | int) -> str:
    checked = text(value, "slug", *path)
    if not _SLUG.fullmatch(checked):
        raise invalid(f"{shown(checked)} is no slug: letters and digits, joined by single dashes.", *path)
    return checked


def options(found: Sequence[Option], *path: str | int) -> tuple[Option, ...]:
    """Options as a product may have them: names and values are there, and each name stands once."""
    if len(found) > MAX_OPTIONS:
        raise too_many("options", len(found), MAX_OPTIONS, *path)
    checked = tuple(_option(option, *path, number) for number, option in enumerate(found))
    _each_once([o.name for o in checked], "option", *path)
    return checked


def _option(option: Option, *path: str | int) -> Option:
    name = text(option.name, "option", *path, "name")
    if not option.values:
        raise invalid(f"The option {shown(name)} has no values.", *path, "values")
    if len(option.values) > MAX_VALUES:
        raise too_many("values", len(option.values), MAX_VALUES, *path, "values")
    values = tuple(_option_value(value, *path, "values", number) for number, value in enumerate(option.values))
    _each_once([v.name for v in values], "value", *path, "values")
    return replace(option, name=name, values=values)


def _option_value(value: OptionValue, *path: str | int) -> OptionValue:
    return replace(value, name=text(value.name, "option", *path, "name"), images=images(value.images, *path, "images"))


def _each_once(names: Sequence[str], kind: str, *path: str | int) -> None:
    seen: set[str] = set()
    for number, name in enumerate(names):
        if name in seen:
            raise invalid(f"The {kind} {shown(name)} stands there twice.", *path, number, "name")
        seen.add(name)


def check_renames(before: Sequence[Option], after: Sequence[Option], *path: str | int) -> None:
    """Refuse a new name for what is not there, and two for the same. Said again once it is done, a rename is none."""
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
            raise invalid(f"The {kind} {shown(old)} cannot get two names.", *path, number, "renamedFrom")
        seen.add(old)


def check_choice(found: Sequence[tuple[str, str]], options: Sequence[Option], *path: str | int) -> dict[str, str]:
    """A shopper's choice by option name; refused when it names what the product does not have."""
    by_name = {o.name: o for o in options}
    choice: dict[str, str] = {}
    for number, (name, value) in enumerate(found):
        option = by_name.get(name)
        if option is None:
            known = ", ".join(by_name) or "none"
            raise invalid(f"The product has no option {shown(name)}; it has: {known}.", *path, number, "name")
        if not option.has(value):
            known = ", ".join(v.name for v in option.values)
            raise invalid(f"{name} cannot be {shown(value)}; it can be: {known}.", *path, number, "value")
        if name in choice:
            raise invalid(f"{name} is chosen twice.", *path, number, "name")
        choice[name] = value
    return choice


def inventory_options(options: Sequence[Option]) -> list[Option]:
    return [o for o in options if o.inventory]


def inventory_part(choice: Choice, options: Sequence[Option]) -> dict[str, str]:
    """The part of a choice that makes a combination, in the order of the product's options."""
    return {o.name: choice[o.name] for o in options if o.inventory and o.name in choice}


def is_complete(choice: Choice, options: Sequence[Option]) -> bool:
    """Whether every inventory option has a value."""
    return all(o.name in choice for o in inventory_options(options))


def digest(choice: Choice) -> str:
    """One short text for one choice, whatever the order of its options: what makes a combination unique."""
    return hashlib.sha256(json.dumps(sorted(choice.items())).encode()).hexdigest()


def choice_count(options: Sequence[Option], fixed: Choice | None = None) -> int:
    """How many complete choices there are, with those options fixed that are named."""
    return math.prod(len(o.values) for o in inventory_options(options) if o.name not in (fixed or {}))


def pictures(
    options: Sequence[Option], choice: Choice, combination: Sequence[Image], product: Sequence[Image]
) -> Sequence[Image]:
    """The pictures of a choice: the combination's, else those of the chosen values, else the product's. (CS-Cart)"""
    chosen = [image for o in options for v in o.values if choice.get(o.name) == v.name for image in v.images]
    return combination or chosen or product


def counts_combinations(tracking: InventoryTracking) -> bool:
    """Whether quantities lie with the combinations instead of with the product."""
    return tracking is InventoryTracking.TRACK_WITH_OPTIONS


@dataclass(frozen=True, slots=True)
class Item:
    """A product, or one combination of a product's inventory options: then ``product_id`` names that product.

    A combination has its product's category and status as well.
    """

    id: int
    product_id: int | None
    sku: str
    name: str
    barcode: str | None
    own_images: list[dict[str, Any]]
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None

    # Of a product; category and status of its combinations too.
    slug: str | None
    description: str | None
    category_id: int | None
    tracking: InventoryTracking
    published: bool
    inventory_status: InventoryStatus
    shipping_origin_id: int | None
    stored_options: list[dict[str, Any]]

    # Of a combination.
    own_code: str | None
    choice: dict[str, str]
    choice_digest: str | None

    @property
    def is_product(self) -> bool:
        return self.product_id is None

    @property
    def options(self) -> tuple[Option, ...]:
        return options_of(self.stored_options)

    @property
    def images(self) -> tuple[Image, ...]:
        """The pictures of its own."""
        return tuple(Image(**stored) for stored in self.own_images)


def stored_images(images: Iterable[Image]) -> list[dict[str, Any]]:
    """Images as ``Item.own_images`` has them."""
    return [{"url": image.url, "alt": image.alt} for image in images]


def stored_options(options: Iterable[Option]) -> list[dict[str, Any]]:
    """Options as ``Item.stored_options`` has them."""
    return [
        {
            "name": option.name,
            "inventory": option.inventory,
            "values": [{"name": v.name, "images": stored_images(v.images)} for v in option.values],
        }
        for option in options
    ]


def options_of(stored: Iterable[Mapping[str, Any]]) -> tuple[Option, ...]:
    """Options as they are stored."""
    return tuple(
        Option(
            one["name"],
            tuple(OptionValue(v["name"], tuple(Image(**i) for i in v["images"])) for v in one["values"]),
            one["inventory"],
        )
        for one in stored
    )


def new_product(sku: str, name: str, at: datetime) -> Item:
    """A product that is not stored yet."""
    return Item(
        id=UNSTORED,
        product_id=None,
        sku=sku,
        name=name,
        barcode=None,
        own_images=[],
        created_at=at,
        updated_at=at,
        deleted_at=None,
        slug=None,
        description=None,
        category_id=None,
        tracking=InventoryTracking.TRACK_WITHOUT_OPTIONS,
        published=True,
        inventory_status=InventoryStatus.IN_STOCK,
        shipping_origin_id=None,
        stored_options=[],
        own_code=None,
        choice={},
        choice_digest=None,
    )
