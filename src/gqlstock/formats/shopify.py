"""Shopify's product export: the rows of a handle form a product."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from gqlstock.formats import csv_dialect, records
from gqlstock.formats.csv_dialect import Columns
from gqlstock.formats.format import Context, Option, ProductFormat
from gqlstock.formats.records import UNSET, AnyOf, Counted, Identity, Pairs, Product, Said, Variant
from gqlstock.rules import catalog, skus
from gqlstock.rules.catalog import Image, InventoryTracking
from gqlstock.rules.import_rows import Faults, Row, Tie
from gqlstock.rules.refusals import invalid, shown
from gqlstock.rules.settings import BackorderMode

_NUMBERS = (1, 2, 3)
_VALUES = tuple(f"Option{number} Value" for number in _NUMBERS)
_QUANTITY = "Variant Inventory Qty"
_TRACKER = "Variant Inventory Tracker"
_POLICY = "Variant Inventory Policy"
# Shopify's current column names, in lower case.
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
_OPTIONAL = (
    *(f"Option{n} {part}" for n in _NUMBERS for part in ("Name", "Value")),
    *("Body (HTML)", "Type", "Published", "Status", "Variant SKU", "Variant Barcode", _TRACKER, _POLICY),
    *("Image Src", "Image Position", "Image Alt Text", "Variant Image"),
)
# All columns but these two are optional in an export.
_COLUMNS = Columns(("Handle", "Title"), _PRESENT, (_QUANTITY,), _OPTIONAL)
_OF_VARIANT = (*_VALUES, "Variant SKU", "Variant Barcode", _TRACKER, _QUANTITY, _POLICY)

_TAKES_BACKORDERS = {"": None, "deny": False, "continue": True, "false": False, "true": True}
_PUBLISHED = {"": True, "true": True, "false": False}
_HANDLE = re.compile(r"[\w.-]+")
LONE_CHOICE = (("Title", "Default Title"),)
_TOLD = {
    "sku": "Variant SKU",
    "barcode": "Variant Barcode",
    "quantity": _QUANTITY,
    "counted": _TRACKER,
    "takes_backorders": _POLICY,
    "image": "Variant Image",
}


@dataclass(frozen=True, slots=True)
class _Variant:
    """One variant: with a choice it is a combination, without one it is the product itself."""

    line: int
    choice: Pairs = ()
    sku: str | None = None
    barcode: str | None = None
    quantity: Decimal | None = None
    counted: bool | None = None
    takes_backorders: bool | None = None
    image: Image | None = None

    @property
    def images(self) -> tuple[Image, ...]:
        return (self.image,) if self.image else ()

    @property
    def settings(self) -> Said:
        """The settings of its item. Shopify distinguishes fewer values, so equivalent stored ones stay."""
        said: dict[str, object] = {}
        if self.counted is not None:
            said["manage_stock"] = AnyOf(UNSET, (True,)) if self.counted else False
        if self.takes_backorders is not None:
            continues = AnyOf(BackorderMode.ALLOW, (BackorderMode.ALLOW_AND_NOTIFY_CUSTOMER,))
            denies = AnyOf(UNSET, (BackorderMode.NO_BACKORDERS,))
            said["backorders"] = continues if self.takes_backorders else denies
        return said

    @property
    def counts(self) -> tuple[Counted, ...]:
        return (Counted(self.line, self.quantity),) if self.quantity is not None else ()


def tie(row: Row, context: Context) -> Tie | None:
    """Link rows by handle. They need not be adjacent."""
    if not row["Handle"]:
        context.fault(row.line, "The Handle is missing.")
        return None
    return Tie(group=row["Handle"])


def product(rows: Sequence[Row], context: Context) -> Product | None:
    """The product of the rows of one handle; None if it is refused."""
    faults = context.faults
    titled = next((row for row in rows if row["Title"]), rows[0])
    images, variants = _images(rows, faults), _variants(rows, faults)
    with faults.at(titled.line):
        handle = _handle(rows[0]["Handle"])
        found = Product(
            line=rows[0].line,
            identity=Identity.SLUG,
            sku_stem=handle,
            slug=handle,
            name=catalog.text(titled["Title"], "Title"),
            description=catalog.optional_text(titled["Body (HTML)"], "description"),
            category=_type(titled),
            published=_is_published(titled),
            images=images,
        )
        return _with_variants(found, variants)
    return None


def _with_variants(product: Product, found: Sequence[_Variant]) -> Product:
    if len(found) == 1 and not found[0].choice:
        (one,) = found
        return replace(
            product,
            line=one.line,
            sku=one.sku,
            barcode=one.barcode,
            tracking=InventoryTracking.TRACK_WITHOUT_OPTIONS,
            settings=one.settings,
            counts=one.counts,
        )
    variants = tuple(
        Variant(one.line, one.choice, one.sku, None, one.barcode, one.images, one.settings, one.counts) for one in found
    )
    tracking = InventoryTracking.TRACK_WITH_OPTIONS
    return replace(product, tracking=tracking, options=records.options_of(variants), variants=variants)


@dataclass(slots=True)
class OptionNames:
    """A product's option names, collected from its rows."""

    found: dict[int, str] = field(default_factory=dict)

    def learn(self, row: Row) -> None:
        for number in _NUMBERS:
            name = row[f"Option{number} Name"]
            if name and self.found.setdefault(number, name) != name:
                raise invalid(
                    f"Option{number} Name is {shown(name)!r}, but {shown(self.found[number])!r} on an earlier line."
                )

    def choice(self, row: Row) -> Pairs:
        """The row's value of every option."""
        chosen = []
        for number in _NUMBERS:
            name, value = self.found.get(number), row[f"Option{number} Value"]
            if value and name is None:
                raise invalid(f"Option{number} Value is {shown(value)!r}, but Option{number} Name is missing.")
            if name is not None and not value:
                raise invalid(f"Option{number} Value is missing; every variant must have a value of {shown(name)}.")
            if name is not None:
                chosen.append((catalog.text(name, "option"), catalog.text(value, "option")))
        if len({name for name, _ in chosen}) < len(chosen):
            raise invalid("Two options have the same name.")
        return tuple(chosen)


def _handle(handle: str) -> str:
    checked = catalog.text(handle, "slug")
    if not _HANDLE.fullmatch(checked):
        raise invalid(f"The Handle is {shown(checked)!r}; expected letters, digits and dashes.")
    return checked


def _type(row: Row) -> tuple[str, ...]:
    found = catalog.optional_text(row["Type"], "name")
    if found is not None and not catalog.slug_from(found):
        raise invalid(f"The Type {shown(found)!r} has no letters or digits to generate a category slug from.")
    return (found,) if found is not None else ()


def _is_published(row: Row) -> bool | None:
    """Newer exports also have a Status: drafts and archived products are unpublished."""
    if not {"Published", "Status"} & row.cells.keys():
        return None
    value = row["Published"].lower()
    if value not in _PUBLISHED:
        raise invalid(f"Published is {shown(row['Published'])!r}; expected true or false.")
    return _PUBLISHED[value] and row["Status"].lower() in ("", "active")


def _images(rows: Sequence[Row], faults: Faults) -> tuple[Image, ...]:
    """The images of all rows, ordered by position, without duplicates."""
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


def _variants(rows: Sequence[Row], faults: Faults) -> tuple[_Variant, ...]:
    """The variants of the rows. Rows without any variant column only add images."""
    names = OptionNames()
    for row in rows:
        with faults.at(row.line):
            names.learn(row)
    counting = [row for row in rows if any(row[column] for column in _OF_VARIANT)] or rows[:1]
    found: dict[Pairs, _Variant] = {}
    for row in counting:
        with faults.at(row.line):
            variant = _variant(row, names)
            known = found.get(variant.choice)
            found[variant.choice] = _once(known, variant, faults) if known else variant
    if tuple(found) == (LONE_CHOICE,):
        return (replace(found[LONE_CHOICE], choice=()),)
    return tuple(found.values())


def _variant(row: Row, names: OptionNames) -> _Variant:
    policy = row[_POLICY].lower()
    if policy not in _TAKES_BACKORDERS:
        raise invalid(f"{_POLICY} is {shown(row[_POLICY])!r}; expected deny or continue.")
    return _Variant(
        line=row.line,
        choice=names.choice(row),
        sku=catalog.optional_text(skus.normalized(row["Variant SKU"]), "sku"),
        barcode=catalog.optional_text(row["Variant Barcode"], "barcode"),
        quantity=_quantity(row),
        counted=bool(row[_TRACKER]) if _TRACKER in row.cells else None,
        takes_backorders=_TAKES_BACKORDERS[policy],
        image=_image(row["Variant Image"]) if row["Variant Image"] else None,
    )


def _quantity(row: Row) -> Decimal | None:
    if not row[_QUANTITY]:
        return None
    return csv_dialect.quantity(row, _QUANTITY)


def _once(known: _Variant, again: _Variant, faults: Faults) -> _Variant:
    """Merge two rows of the same variant. Each may fill gaps in the other, but they must not contradict."""
    merged = {}
    for name, column in _TOLD.items():
        before, now = getattr(known, name), getattr(again, name)
        if before is not None and now is not None and before != now:
            place = faults.files.place(known.line)
            raise invalid(f"The same variant is on {place} with a different {column}.")
        merged[name] = now if before is None else before
    return replace(known, **merged)


FORMAT = ProductFormat(
    help="Products, combinations and quantities from Shopify's product export.",
    columns=(_COLUMNS,),
    tie=tie,
    product=product,
    options=frozenset({Option.WAREHOUSE}),
)
