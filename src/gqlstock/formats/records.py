"""The content of a file of any format, in gqlstock's terms. Independent of stored data.

None and an empty tuple mean that the file has no value. They never change a stored value.
"""

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import Enum, StrEnum
from typing import Any

from gqlstock.rules import catalog, skus
from gqlstock.rules import combinations as combination_rules
from gqlstock.rules.catalog import Choice, Image, InventoryStatus, InventoryTracking, Option, OptionValue
from gqlstock.rules.import_rows import Faults
from gqlstock.rules.refusals import invalid, shown

Pairs = tuple[tuple[str, str], ...]
"""A choice as pairs of option and value."""


class _Unset(Enum):
    UNSET = "UNSET"


UNSET = _Unset.UNSET
"""A setting for which the file states that the item has no own value: the import resets it, and the item inherits."""


@dataclass(frozen=True, slots=True)
class AnyOf:
    """A setting's value from a system with fewer distinctions: a stored value among ``others`` is equivalent and stays.

    Otherwise the import sets ``value``, which may be UNSET.
    """

    value: Any
    others: tuple[Any, ...]


Said = Mapping[str, Any]
"""Settings by their names in ``rules.settings``: a value, UNSET or ``AnyOf``."""


def changed_settings(said: Said, own: Mapping[str, Any]) -> dict[str, Any]:
    """The changes that a file makes to own settings; None resets a value."""
    changes = {}
    for name, value in said.items():
        if isinstance(value, AnyOf):
            if own.get(name) in value.others:
                continue
            value = value.value
        wanted = None if value is UNSET else value
        if own.get(name) != wanted:
            changes[name] = wanted
    return changes


class Identity(StrEnum):
    """The key that matches a product of a file with a stored one."""

    SLUG = "slug"
    SKU = "sku"
    """Its SKU, or the SKU generated from ``sku_stem`` if the file has none."""


@dataclass(frozen=True, slots=True)
class Counted:
    """Units on hand in one warehouse, by code or name; None stands for the warehouse from --warehouse."""

    line: int
    on_hand: Decimal
    warehouse: str | None = None


@dataclass(frozen=True, slots=True)
class Variant:
    """One combination of a product."""

    line: int
    choice: Pairs
    sku: str | None = None
    code: str | None = None
    barcode: str | None = None
    images: tuple[Image, ...] = ()
    settings: Said = field(default_factory=dict)
    """Own settings of the combination."""
    counts: tuple[Counted, ...] = ()


@dataclass(frozen=True, slots=True)
class Product:
    """One product with its combinations. ``counts`` are those of the product itself, if it is tracked without options.

    ``options`` contains all inventory options; stored options that are not for inventory stay. ``tracking`` is None if the
    file does not specify it: a new product is then tracked with options if it has combinations, else without.
    """

    line: int
    identity: Identity
    sku_stem: str
    """The stem of generated SKUs. Unique to the product, and the same each time the file is imported."""
    sku: str | None = None
    earlier_sku: str | None = None
    """The SKU generated when an earlier file had none. It matches a stored product whose ``sku`` is new in this file."""
    slug: str | None = None
    name: str | None = None
    description: str | None = None
    barcode: str | None = None
    category: tuple[str, ...] = ()
    """The names from the root of the tree down."""
    published: bool | None = None
    inventory_status: InventoryStatus | None = None
    shipping_origin: str | None = None
    images: tuple[Image, ...] = ()
    options: tuple[Option, ...] = ()
    tracking: InventoryTracking | None = None
    settings: Said = field(default_factory=dict)
    """Own settings of the product."""
    counts: tuple[Counted, ...] = ()
    variants: tuple[Variant, ...] = ()

    @property
    def wanted_sku(self) -> str:
        """The SKU of the file, or the generated one."""
        return self.sku or skus.normalized(self.sku_stem)

    @property
    def new_tracking(self) -> InventoryTracking:
        """The tracking of the product if it is new."""
        default = InventoryTracking.TRACK_WITH_OPTIONS if self.variants else InventoryTracking.TRACK_WITHOUT_OPTIONS
        return self.tracking or default

    @property
    def choices(self) -> dict[str, Choice]:
        """The choices of the combinations that have SKUs in the file, by SKU."""
        return {variant.sku: dict(variant.choice) for variant in self.variants if variant.sku is not None}

    def given_skus(self) -> list[tuple[str, int]]:
        """The SKUs in the file, of the product and its combinations, with their lines."""
        items = [(self.sku, self.line), *((variant.sku, variant.line) for variant in self.variants)]
        return [(sku, line) for sku, line in items if sku is not None]

    def warehouses(self) -> Iterator[tuple[str, int]]:
        """The warehouses that the product names, with their lines."""
        if self.shipping_origin is not None:
            yield self.shipping_origin, self.line
        for count in self.all_counts():
            if count.warehouse is not None:
                yield count.warehouse, count.line

    def all_counts(self) -> Iterator[Counted]:
        """The counts of the product and its combinations."""
        yield from self.counts
        for variant in self.variants:
            yield from variant.counts


@dataclass(frozen=True, slots=True)
class CategoryRecord:
    """A category. ``path``: the names from the root of the tree down."""

    line: int
    path: tuple[str, ...]


def options_of(variants: Iterable[Variant]) -> tuple[Option, ...]:
    """The options of combinations, each value once, in file order."""
    values: dict[str, dict[str, None]] = {}
    for variant in variants:
        for name, value in variant.choice:
            values.setdefault(name, {})[value] = None
    return tuple(Option(name, tuple(OptionValue(value) for value in found)) for name, found in values.items())


def merged_options(stored: Iterable[Option], imported: Iterable[Option]) -> tuple[Option, ...]:
    """A product's stored options merged with those of a file. Stored values stay, with their images; new ones come last.

    Stored inventory options that are not in the file are dropped; other stored options stay.
    """
    by_name = {option.name: option for option in stored}
    merged = tuple(_merged(by_name.get(option.name), option) for option in imported)
    named = {option.name for option in merged}
    return (*merged, *(option for name, option in by_name.items() if not option.inventory and name not in named))


def _merged(stored: Option | None, imported: Option) -> Option:
    if stored is None:
        # Existing combinations take the value of a new option if it has only one.
        return replace(imported, existing=imported.values[0].name if len(imported.values) == 1 else None)
    new = tuple(value for value in imported.values if not stored.has(value.name))
    return Option(imported.name, (*stored.values, *new), imported.inventory)


def made_sku(stem: str, choice: Choice, taken: Container[str]) -> str:
    """Generate the SKU of an item from the stem and its option values, numbered if ``taken`` contains it."""
    return combination_rules.sku(stem, choice, taken) if choice else skus.free(stem, taken)


def checked(product: Product, faults: Faults) -> Product | None:
    """The product with its texts trimmed. Returns None, and adds faults by line, if it is invalid."""
    before = faults.count
    with faults.at(product.line):
        product = replace(
            product,
            sku=_sku(product.sku),
            slug=catalog.optional_text(product.slug, "slug"),
            name=catalog.optional_text(product.name, "name"),
            description=catalog.optional_text(product.description, "description"),
            barcode=catalog.optional_text(product.barcode, "barcode"),
            category=category_path(product.category),
            images=catalog.images(product.images),
            options=catalog.options(product.options),
            counts=_once(product.counts),
        )
    variants = []
    lines: dict[Pairs, int] = {}
    for variant in product.variants:
        with faults.at(variant.line):
            one = _checked_variant(variant, product)
            if one.choice in lines:
                values = shown(" / ".join(value for _, value in one.choice))
                raise invalid(f"The combination {values} already appears on {faults.files.place(lines[one.choice])}.")
            lines[one.choice] = one.line
            variants.append(one)
    return replace(product, variants=tuple(variants)) if faults.count == before else None


def category_path(path: tuple[str, ...]) -> tuple[str, ...]:
    """The checked names of a category and its parents."""
    names = tuple(catalog.text(name, "name") for name in path)
    if names and not catalog.slug_from(" ".join(names)):
        raise invalid(f"The category {shown(' / '.join(names))} has no letters or digits to generate a slug from.")
    return names


def _checked_variant(variant: Variant, product: Product) -> Variant:
    # Stored choices are in the order of the product's options.
    choice = catalog.inventory_part(dict(variant.choice), product.options)
    if not (choice and combination_rules.fits(dict(variant.choice), product.options)):
        names = ", ".join(option.name for option in product.options if option.inventory) or "no option"
        raise invalid(f"A combination must have one value of each of: {names}.")
    return replace(
        variant,
        choice=tuple(choice.items()),
        sku=_sku(variant.sku),
        code=catalog.optional_text(variant.code, "code"),
        barcode=catalog.optional_text(variant.barcode, "barcode"),
        images=catalog.images(variant.images),
        counts=_once(variant.counts),
    )


def _sku(given: str | None) -> str | None:
    return catalog.optional_text(skus.normalized(given), "sku") if given is not None else None


def _once(counts: tuple[Counted, ...]) -> tuple[Counted, ...]:
    """Deduplicate counts by warehouse. Raises ``Refused`` if two contradict each other."""
    found: dict[str | None, Counted] = {}
    for count in counts:
        known = found.setdefault(count.warehouse, count)
        if known.on_hand != count.on_hand:
            place = f" in {shown(count.warehouse)}" if count.warehouse else ""
            raise invalid(f"The file has two different counts{place}.")
    return tuple(found.values())
