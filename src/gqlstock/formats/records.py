"""What a file of any format says, in the words of this program. Nothing here knows what is stored.

None, and an empty tuple, is what the file does not say: it never changes what is stored.
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
"""A choice as pairs of an option and its value."""


class _Unset(Enum):
    UNSET = "UNSET"


UNSET = _Unset.UNSET
"""The value of a setting that a file says to have no value of its own: it is reset, and the next place applies."""


@dataclass(frozen=True, slots=True)
class AnyOf:
    """A setting's value where the other system tells fewer values apart: any of ``others`` says the same and stays.

    Otherwise ``value`` is set, which may be UNSET.
    """

    value: Any
    others: tuple[Any, ...]


Said = Mapping[str, Any]
"""Settings by their names in ``rules.settings``: a value, UNSET, or ``AnyOf``."""


def changed_settings(said: Said, own: Mapping[str, Any]) -> dict[str, Any]:
    """What a file changes of a place's own values; None resets a value."""
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
    """What a product is found by when its file comes again."""

    SLUG = "slug"
    SKU = "sku"
    """Its SKU; the one that is made of ``sku_stem`` where the file gives none."""


@dataclass(frozen=True, slots=True)
class Counted:
    """Units in one warehouse, by its code or name; None is the warehouse that the command names."""

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
    """Those of the combination."""
    counts: tuple[Counted, ...] = ()


@dataclass(frozen=True, slots=True)
class Product:
    """One product with its combinations. ``counts``: its own, where it has no combinations.

    ``options`` has all options for inventory; those that are not for inventory and stored stay. ``tracking`` is None where
    the file does not say it: a new product then is tracked with options if it has combinations.
    """

    line: int
    identity: Identity
    sku_stem: str
    """What the SKUs that the file does not give are made of: the same for the same file again, and no other product's."""
    sku: str | None = None
    earlier_sku: str | None = None
    """The SKU that an earlier file made, which did not give one. It finds a product whose ``sku`` is new."""
    slug: str | None = None
    name: str | None = None
    description: str | None = None
    barcode: str | None = None
    category: tuple[str, ...] = ()
    """The names from the top of the tree down."""
    published: bool | None = None
    inventory_status: InventoryStatus | None = None
    shipping_origin: str | None = None
    images: tuple[Image, ...] = ()
    options: tuple[Option, ...] = ()
    tracking: InventoryTracking | None = None
    settings: Said = field(default_factory=dict)
    """Those of the product."""
    counts: tuple[Counted, ...] = ()
    variants: tuple[Variant, ...] = ()

    @property
    def wanted_sku(self) -> str:
        """The given SKU, or the one that is made."""
        return self.sku or skus.normalized(self.sku_stem)

    @property
    def new_tracking(self) -> InventoryTracking:
        """How a new product is tracked."""
        default = InventoryTracking.TRACK_WITH_OPTIONS if self.variants else InventoryTracking.TRACK_WITHOUT_OPTIONS
        return self.tracking or default

    @property
    def choices(self) -> dict[str, Choice]:
        """The choices of combinations by the SKUs that the file gives them."""
        return {variant.sku: dict(variant.choice) for variant in self.variants if variant.sku is not None}

    def given_skus(self) -> list[tuple[str, int]]:
        """The SKUs that the file gives, with their lines: of the product and of its combinations."""
        items = [(self.sku, self.line), *((variant.sku, variant.line) for variant in self.variants)]
        return [(sku, line) for sku, line in items if sku is not None]

    def warehouses(self) -> Iterator[tuple[str, int]]:
        """The warehouses that it names, with their lines."""
        if self.shipping_origin is not None:
            yield self.shipping_origin, self.line
        for count in self.all_counts():
            if count.warehouse is not None:
                yield count.warehouse, count.line

    def all_counts(self) -> Iterator[Counted]:
        """Its own counts and those of its combinations."""
        yield from self.counts
        for variant in self.variants:
            yield from variant.counts


@dataclass(frozen=True, slots=True)
class CategoryRecord:
    """A category, as the names from the top of the tree down."""

    line: int
    path: tuple[str, ...]


def options_of(variants: Iterable[Variant]) -> tuple[Option, ...]:
    """The options that combinations choose from, each value once, in the order of the file."""
    values: dict[str, dict[str, None]] = {}
    for variant in variants:
        for name, value in variant.choice:
            values.setdefault(name, {})[value] = None
    return tuple(Option(name, tuple(OptionValue(value) for value in found)) for name, found in values.items())


def merged_options(stored: Iterable[Option], given: Iterable[Option]) -> tuple[Option, ...]:
    """A product's options once a file was read: what it has stays, with its pictures; what is new comes last.

    Options that are not for inventory and not in the file are none of the file's business.
    """
    by_name = {option.name: option for option in stored}
    merged = tuple(_merged(by_name.get(option.name), option) for option in given)
    named = {option.name for option in merged}
    return (*merged, *(option for name, option in by_name.items() if not option.inventory and name not in named))


def _merged(stored: Option | None, given: Option) -> Option:
    if stored is None:
        # The only value of a new option is that of the combinations which were there before.
        return replace(given, existing=given.values[0].name if len(given.values) == 1 else None)
    new = tuple(value for value in given.values if not stored.has(value.name))
    return Option(given.name, (*stored.values, *new), given.inventory)


def made_sku(stem: str, choice: Choice, taken: Container[str]) -> str:
    """The SKU of an item that the file gives none: of the stem and the values, numbered where it is ``taken``."""
    return combination_rules.sku(stem, choice, taken) if choice else skus.free(stem, taken)


def checked(product: Product, faults: Faults) -> Product | None:
    """A product with its texts trimmed and checked; None, and faults by line, for what no product can have."""
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
                raise invalid(f"The combination {values} stands on {faults.files.place(lines[one.choice])} already.")
            lines[one.choice] = one.line
            variants.append(one)
    return replace(product, variants=tuple(variants)) if faults.count == before else None


def category_path(path: tuple[str, ...]) -> tuple[str, ...]:
    """The checked names of a category and its parents."""
    names = tuple(catalog.text(name, "name") for name in path)
    if names and not catalog.slug_from(" ".join(names)):
        raise invalid(f"The category {shown(' / '.join(names))} has no letter or digit that a slug could be made of.")
    return names


def _checked_variant(variant: Variant, product: Product) -> Variant:
    # In the order of the product's options, which is that of every stored choice.
    choice = catalog.inventory_part(dict(variant.choice), product.options)
    if not (choice and combination_rules.fits(dict(variant.choice), product.options)):
        names = ", ".join(option.name for option in product.options if option.inventory) or "no option"
        raise invalid(f"A combination has one value of each of: {names}.")
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
    """Each warehouse's count once. Raises ``Refused`` where two contradict each other."""
    found: dict[str | None, Counted] = {}
    for count in counts:
        known = found.setdefault(count.warehouse, count)
        if known.on_hand != count.on_hand:
            place = f" in {shown(count.warehouse)}" if count.warehouse else ""
            raise invalid(f"There are two different counts{place}.")
    return tuple(found.values())
