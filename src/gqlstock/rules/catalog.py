"""Products, options and combinations: valid texts, choices, tracking. Stock is decided elsewhere."""

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

from gqlstock.rules.fast_init import fast_init
from gqlstock.rules.ids import UNSTORED
from gqlstock.rules.refusals import invalid, shown, too_many

MAX_IMAGES = 250
MAX_OPTIONS = 100
MAX_VALUES = 2_000
MAX_GENERATED = 240
"""The maximum length of a generated SKU or slug before a number is appended."""


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
    """An option of a product, such as Size. Only inventory options make combinations. (CS-Cart)"""

    name: str
    values: tuple[OptionValue, ...]
    inventory: bool = True
    renamed_from: str | None = None
    existing: str | None = None
    """The value that existing combinations take when this inventory option is added."""

    def has(self, value: str) -> bool:
        return any(v.name == value for v in self.values)


Named = TypeVar("Named", Option, OptionValue)

Choice = Mapping[str, str]
"""The chosen value by option name."""

# The maximum length of each kind of text, in characters, within what its column and indexes allow.
_MAX_LENGTHS = {"sku": 255, "code": 255, "slug": 255, "barcode": 255, "name": 500, "Title": 500, "description": 60_000}
_MAX_LENGTHS |= {
    "reason": 1_000,
    "reference": 255,
    "url": 2_000,
    "alt": 500,
    "option": 100,
    "email": 254,
    "address": 500,
}
_MAX_LENGTHS |= {"idempotencyKey": 255, "trackingNumber": 255, "carrier": 255, "token name": 255}
_UNPRINTABLE = ("Cc", "Cs")
_SLUG = re.compile(r"[^\W_]+(?:-[^\W_]+)*")


def text(value: str, kind: str, *path: str | int, required: bool = True) -> str:
    """A caller's text, trimmed. Raises ``Refused`` if it is empty, too long, or contains a control character."""
    trimmed = value.strip()
    if required and not trimmed:
        raise invalid(f"The {kind} must not be empty.", *path)
    longest = _MAX_LENGTHS[kind]
    if len(trimmed) > longest:
        raise invalid(f"The {kind} {shown(trimmed)} has {len(trimmed)} characters; the maximum is {longest}.", *path)
    if any(unicodedata.category(c) in _UNPRINTABLE and c not in "\n\r\t" for c in trimmed):
        raise invalid(f"The {kind} contains a control character.", *path)
    return trimmed


def optional_text(value: str | None, kind: str, *path: str | int) -> str | None:
    """Like ``text``; an empty text becomes None."""
    return (text(value, kind, *path, required=False) or None) if value is not None else None


def email(value: str, *path: str | int) -> str:
    """A customer's e-mail address, minimally checked because no mail is sent to it."""
    address = text(value, "email", *path)
    if address.count("@") != 1 or "@" in (address[0], address[-1]) or any(c.isspace() for c in address):
        message = f"{shown(address)} is not a valid e-mail address; it needs one @ between two parts, and no spaces."
        raise invalid(message, *path)
    return address


def images(found: Sequence[Image], *path: str | int) -> tuple[Image, ...]:
    """The checked pictures of an item or an option value."""
    if len(found) > MAX_IMAGES:
        raise too_many("pictures", len(found), MAX_IMAGES, *path)
    return tuple(
        Image(text(image.url, "url", *path, number, "url"), optional_text(image.alt, "alt", *path, number, "alt"))
        for number, image in enumerate(found)
    )


def slug_from(name: str) -> str:
    """Make a slug from a name: Garden tools → garden-tools."""
    return "-".join(re.findall(r"[^\W_]+", name.lower()))[: _MAX_LENGTHS["slug"]].strip("-")


def free_slug(name: str, taken: Collection[str]) -> str:
    """A slug made from a product's name, with a number appended if taken."""
    wanted = slug_from(name) or "product"
    numbered = (f"{wanted[:MAX_GENERATED].strip('-')}-{number}" for number in itertools.count(2))
    return next(slug for slug in itertools.chain([wanted], numbered) if slug not in taken)


def slug(value: str, *path: str | int) -> str:
    checked = text(value, "slug", *path)
    if not _SLUG.fullmatch(checked):
        raise invalid(f"{shown(checked)} is not a valid slug; use letters and digits, joined by single hyphens.", *path)
    return checked


def options(found: Sequence[Option], *path: str | int) -> tuple[Option, ...]:
    """The checked options of a product: each has a name and values, and no name occurs twice."""
    if len(found) > MAX_OPTIONS:
        raise too_many("options", len(found), MAX_OPTIONS, *path)
    checked = tuple(_option(option, *path, number) for number, option in enumerate(found))
    _check_unique([o.name for o in checked], "option", *path)
    return checked


def _option(option: Option, *path: str | int) -> Option:
    name = text(option.name, "option", *path, "name")
    if not option.values:
        raise invalid(f"The option {shown(name)} has no values.", *path, "values")
    if len(option.values) > MAX_VALUES:
        raise too_many("values", len(option.values), MAX_VALUES, *path, "values")
    values = tuple(_option_value(value, *path, "values", number) for number, value in enumerate(option.values))
    _check_unique([v.name for v in values], "value", *path, "values")
    checked = replace(option, name=name, values=values)
    if option.existing is not None and not checked.has(option.existing):
        message = f"{name} has no value {shown(option.existing)}; its values are: {shown_values(checked)}."
        raise invalid(message, *path, "existing")
    return checked


def shown_values(option: Option) -> str:
    """The values of an option, for a message."""
    return shown(", ".join(value.name for value in option.values))


def _option_value(value: OptionValue, *path: str | int) -> OptionValue:
    return replace(value, name=text(value.name, "option", *path, "name"), images=images(value.images, *path, "images"))


def _check_unique(names: Sequence[str], kind: str, *path: str | int) -> None:
    seen: set[str] = set()
    for number, name in enumerate(names):
        if name in seen:
            raise invalid(f"The {kind} {shown(name)} occurs twice.", *path, number, "name")
        seen.add(name)


def check_choice(found: Sequence[tuple[str, str]], options: Sequence[Option], *path: str | int) -> dict[str, str]:
    """A shopper's choice by option name. Raises ``Refused`` for options and values that the product does not have."""
    by_name = {o.name: o for o in options}
    choice: dict[str, str] = {}
    for number, (name, value) in enumerate(found):
        option = by_name.get(name)
        if option is None:
            known = shown(", ".join(by_name)) or "none"
            raise invalid(f"The product has no option {shown(name)}; its options are: {known}.", *path, number, "name")
        if not option.has(value):
            message = f"{name} has no value {shown(value)}; its values are: {shown_values(option)}."
            raise invalid(message, *path, number, "value")
        if name in choice:
            raise invalid(f"The option {name} is chosen twice.", *path, number, "name")
        choice[name] = value
    return choice


def inventory_options(options: Sequence[Option]) -> list[Option]:
    return [o for o in options if o.inventory]


def inventory_part(choice: Choice, options: Sequence[Option]) -> dict[str, str]:
    """The part of a choice that concerns inventory options, in the order of the product's options."""
    return {o.name: choice[o.name] for o in options if o.inventory and o.name in choice}


def is_complete(choice: Choice, options: Sequence[Option]) -> bool:
    """Whether every inventory option has a value."""
    return all(o.name in choice for o in inventory_options(options))


def digest(choice: Choice) -> str:
    """A digest of a choice, independent of option order. It identifies a combination within its product."""
    return hashlib.sha256(json.dumps(sorted(choice.items())).encode()).hexdigest()


def choice_count(options: Sequence[Option], fixed: Choice | None = None) -> int:
    """The number of complete choices that include the ``fixed`` values."""
    return math.prod(len(o.values) for o in inventory_options(options) if o.name not in (fixed or {}))


def pictures(
    options: Sequence[Option], choice: Choice, combination: Sequence[Image], product: Sequence[Image]
) -> Sequence[Image]:
    """The pictures of a choice: the combination's, else the chosen values', else the product's. (CS-Cart)"""
    chosen = [image for o in options for v in o.values if choice.get(o.name) == v.name for image in v.images]
    return combination or chosen or product


def counts_combinations(tracking: InventoryTracking) -> bool:
    """Whether stock is counted per combination instead of per product."""
    return tracking is InventoryTracking.TRACK_WITH_OPTIONS


@fast_init
@dataclass(frozen=True, slots=True)
class Item:
    """A product, or a combination of a product's inventory options. ``product_id`` is None for a product.

    A combination has its product's category and status.
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

    # Fields of a product; its combinations share category and status.
    slug: str | None
    description: str | None
    category_id: int | None
    tracking: InventoryTracking
    published: bool
    inventory_status: InventoryStatus
    shipping_origin_id: int | None
    stored_options: list[dict[str, Any]]

    # Fields of a combination.
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
        """The item's own pictures."""
        return tuple(Image(**stored) for stored in self.own_images)


def stored_images(images: Iterable[Image]) -> list[dict[str, Any]]:
    """Images in the form of ``Item.own_images``."""
    return [{"url": image.url, "alt": image.alt} for image in images]


def stored_options(options: Iterable[Option]) -> list[dict[str, Any]]:
    """Options in the form of ``Item.stored_options``."""
    return [
        {
            "name": option.name,
            "inventory": option.inventory,
            "values": [{"name": v.name, "images": stored_images(v.images)} for v in option.values],
        }
        for option in options
    ]


def options_of(stored: Iterable[Mapping[str, Any]]) -> tuple[Option, ...]:
    """The options of ``Item.stored_options``."""
    return tuple(
        Option(
            one["name"],
            tuple(OptionValue(v["name"], tuple(Image(**i) for i in v["images"])) for v in one["values"]),
            one["inventory"],
        )
        for one in stored
    )


def new_product(sku: str, name: str, at: datetime) -> Item:
    """A new product, not stored yet."""
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
