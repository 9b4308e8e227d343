"""Shopify's product export: what the rows of a handle say of a product. Nothing here knows what is stored."""

import itertools
import re
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from gqlstock.formats import csv_dialect
from gqlstock.formats.csv_dialect import Columns
from gqlstock.rules import catalog, combinations, skus
from gqlstock.rules.catalog import Choice, Image, InventoryTracking, Option, OptionValue
from gqlstock.rules.import_rows import Faults, Row
from gqlstock.rules.refusals import invalid, shown

_NUMBERS = (1, 2, 3)
_VALUES = tuple(f"Option{number} Value" for number in _NUMBERS)
_QUANTITY = "Variant Inventory Qty"
_TRACKER = "Variant Inventory Tracker"
_POLICY = "Variant Inventory Policy"
# What Shopify calls its columns today, in lower case.
_PRESENT = {
    "url handle": "Handle",
    "title": "Title",
    "description": "Body (HTML)",
    "published on online store": "Published",
    "sku": "Variant SKU",
    "barcode": "Variant Barcode",
    "inventory tracker": _TRACKER,
    "inventory quantity": _QUANTITY,
    "continue selling when out of stock": _POLICY,
    "product image url": "Image Src",
    "image position": "Image Position",
    "image alt text": "Image Alt Text",
    "variant image url": "Variant Image",
}
_PRESENT |= {f"option{n} {part}": f"Option{n} {part.title()}" for n in _NUMBERS for part in ("name", "value")}
# Everything else can be left out when a file is exported.
_COLUMNS = Columns(("Handle", "Title"), _PRESENT, (_QUANTITY,))
_OF_VARIANT = (*_VALUES, "Variant SKU", "Variant Barcode", _TRACKER, _QUANTITY, _POLICY)

_TAKES_BACKORDERS = {"": None, "deny": False, "continue": True, "false": False, "true": True}
_PUBLISHED = {"": True, "true": True, "false": False}
_HANDLE = re.compile(r"[\w.-]+")
_LONE_CHOICE = (("Title", "Default Title"),)
_TOLD = {
    "sku": "Variant SKU",
    "barcode": "Variant Barcode",
    "quantity": _QUANTITY,
    "counted": _TRACKER,
    "takes_backorders": _POLICY,
    "image": "Variant Image",
}


@dataclass(frozen=True, slots=True)
class Variant:
    """What can be counted: the product, or with a choice one combination of it. What is None is not said in the file."""

    line: int
    choice: tuple[tuple[str, str], ...] = ()
    sku: str | None = None
    barcode: str | None = None
    quantity: Decimal | None = None
    counted: bool = True
    takes_backorders: bool | None = None
    image: Image | None = None


@dataclass(frozen=True, slots=True)
class Product:
    """One handle. What is None or empty is not said in the file."""

    line: int
    handle: str
    title: str
    description: str | None = None
    type: str | None = None
    published: bool = True
    images: tuple[Image, ...] = ()
    variants: tuple[Variant, ...] = ()

    @property
    def options(self) -> tuple[Option, ...]:
        """The options that the variants choose from, each value once, in the order of the file."""
        values: dict[str, dict[str, None]] = {}
        for variant in self.variants:
            for name, value in variant.choice:
                values.setdefault(name, {})[value] = None
        return tuple(Option(name, tuple(OptionValue(value) for value in found)) for name, found in values.items())

    @property
    def tracking(self) -> InventoryTracking:
        has_options = any(variant.choice for variant in self.variants)
        return InventoryTracking.TRACK_WITH_OPTIONS if has_options else InventoryTracking.TRACK_WITHOUT_OPTIONS


def read(lines: Iterable[str], faults: Faults) -> Iterator[Row]:
    """The rows of an export, each of which has a handle. Those of one handle need not stand together."""
    for row in csv_dialect.read(lines, _COLUMNS, faults):
        if row["Handle"]:
            yield row
        else:
            faults.add(row.line, "The Handle is missing.")


def product(rows: Sequence[Row], faults: Faults) -> Product | None:
    """What the rows of one handle say; None when that is refused."""
    titled = next((row for row in rows if row["Title"]), rows[0])
    images, variants = _images(rows, faults), _variants(rows, faults)
    with faults.at(titled.line):
        return Product(
            line=rows[0].line,
            handle=_handle(rows[0]["Handle"]),
            title=catalog.text(titled["Title"], "Title"),
            description=catalog.optional_text(titled["Body (HTML)"], "description"),
            type=_type(titled),
            published=_is_published(titled),
            images=images,
            variants=variants,
        )
    return None


def sku_twice(sku: str, line: int, before: int, faults: Faults) -> None:
    """Two variants of a file have the same SKU."""
    faults.add(line, f"The Variant SKU {shown(sku)} stands on line {before} already.")


def made_sku(handle: str, choice: Choice, taken: Container[str]) -> str:
    """The SKU of an item that the file gives none: from the handle and the values, numbered where it is taken."""
    if choice:
        return combinations.sku(handle, choice, taken)
    wanted = skus.normalized(handle)
    numbered = (f"{wanted}-{number}" for number in itertools.count(2))
    return next(sku for sku in itertools.chain([wanted], numbered) if sku not in taken)


def merged_options(stored: Sequence[Option], given: Sequence[Option]) -> tuple[Option, ...]:
    """A product's options once a file was read: what it has stays, with its pictures; what is new comes last.

    Options that are not for inventory are none of the file's business.
    """
    by_name = {option.name: option for option in stored}
    named = {option.name for option in given}
    kept = [option for option in stored if not option.inventory and option.name not in named]
    return (*(_merged(by_name.get(option.name), option) for option in given), *kept)


def _merged(stored: Option | None, given: Option) -> Option:
    known = stored.values if stored else ()
    new = tuple(value for value in given.values if stored is None or not stored.has(value.name))
    return Option(given.name, (*known, *new))


@dataclass(slots=True)
class _Names:
    """A product's option names, as its rows give them."""

    found: dict[int, str] = field(default_factory=dict)

    def learn(self, row: Row) -> None:
        for number in _NUMBERS:
            name = row[f"Option{number} Name"]
            if name and self.found.setdefault(number, name) != name:
                raise invalid(f"Option{number} Name is {shown(name)!r}, and {shown(self.found[number])!r} before.")

    def choice(self, row: Row) -> tuple[tuple[str, str], ...]:
        """What a row chooses of every option."""
        chosen = []
        for number in _NUMBERS:
            name, value = self.found.get(number), row[f"Option{number} Value"]
            if value and name is None:
                raise invalid(f"Option{number} Value is {shown(value)!r}, and there is no Option{number} Name.")
            if name is not None and not value:
                raise invalid(f"Option{number} Value is missing: {shown(name)} has one in every variant.")
            if name is not None:
                chosen.append((catalog.text(name, "option"), catalog.text(value, "option")))
        if len({name for name, _ in chosen}) < len(chosen):
            raise invalid("Two options have the same name.")
        return tuple(chosen)


def _handle(handle: str) -> str:
    checked = catalog.text(handle, "slug")
    if not _HANDLE.fullmatch(checked):
        raise invalid(f"{shown(checked)!r} is no Handle: letters, digits and dashes.")
    return checked


def _type(row: Row) -> str | None:
    found = catalog.optional_text(row["Type"], "name")
    if found is not None and not catalog.slug_from(found):
        raise invalid(f"The Type {shown(found)!r} has no letter or digit that a category's slug could be made of.")
    return found


def _is_published(row: Row) -> bool:
    """Newer exports have a Status as well: what is a draft or archived is not for the public."""
    value = row["Published"].lower()
    if value not in _PUBLISHED:
        raise invalid(f"Published is {shown(row['Published'])!r}: true or false.")
    return _PUBLISHED[value] and row["Status"].lower() in ("", "active")


def _images(rows: Sequence[Row], faults: Faults) -> tuple[Image, ...]:
    """The pictures of all rows by their position, each once."""
    found: dict[str, Image] = {}
    for row in sorted((row for row in rows if row["Image Src"]), key=_position):
        with faults.at(row.line):
            image = _image(row["Image Src"], row["Image Alt Text"])
            found.setdefault(image.url, image)
    return tuple(found.values())


def _position(row: Row) -> float:
    return int(row["Image Position"]) if row["Image Position"].isdecimal() else float("inf")


def _image(url: str, alt: str = "") -> Image:
    return Image(catalog.text(url, "url"), catalog.optional_text(alt, "alt"))


def _variants(rows: Sequence[Row], faults: Faults) -> tuple[Variant, ...]:
    """What the rows count; those that have nothing of a variant only bring pictures."""
    names = _Names()
    for row in rows:
        with faults.at(row.line):
            names.learn(row)
    counting = [row for row in rows if any(row[column] for column in _OF_VARIANT)] or rows[:1]
    found: dict[tuple[tuple[str, str], ...], Variant] = {}
    for row in counting:
        with faults.at(row.line):
            variant = _variant(row, names)
            known = found.get(variant.choice)
            found[variant.choice] = _once(known, variant) if known else variant
    if tuple(found) == (_LONE_CHOICE,):
        return (replace(found[_LONE_CHOICE], choice=()),)
    return tuple(found.values())


def _variant(row: Row, names: _Names) -> Variant:
    policy = row[_POLICY].lower()
    if policy not in _TAKES_BACKORDERS:
        raise invalid(f"{_POLICY} is {shown(row[_POLICY])!r}: deny or continue.")
    return Variant(
        line=row.line,
        choice=names.choice(row),
        sku=catalog.optional_text(skus.normalized(row["Variant SKU"]), "sku"),
        barcode=catalog.optional_text(row["Variant Barcode"], "barcode"),
        quantity=_quantity(row),
        counted=bool(row[_TRACKER]) or _TRACKER not in row.cells,
        takes_backorders=_TAKES_BACKORDERS[policy],
        image=_image(row["Variant Image"]) if row["Variant Image"] else None,
    )


def _quantity(row: Row) -> Decimal | None:
    if not row[_QUANTITY]:
        return None
    return csv_dialect.quantity(row, _QUANTITY)


def _once(known: Variant, again: Variant) -> Variant:
    """A variant that stands there twice is one: what one row leaves out the other may say, but not otherwise."""
    merged = {}
    for name, column in _TOLD.items():
        before, now = getattr(known, name), getattr(again, name)
        if before is not None and now is not None and before != now:
            raise invalid(f"The same variant stands on line {known.line}, with another {column}.")
        merged[name] = now if before is None else before
    return replace(known, **merged)
