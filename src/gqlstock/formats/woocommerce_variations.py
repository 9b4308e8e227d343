"""The variations of a variable WooCommerce product: which attributes define them, and where they are counted.

The file does not mark the attributes that define variations. They are the ones that variations name.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from gqlstock.formats import woocommerce_cells as cells
from gqlstock.formats.format import Context
from gqlstock.formats.records import Pairs, Product, Variant
from gqlstock.formats.woocommerce_cells import BARCODE, LOW_STOCK, Counting
from gqlstock.rules import catalog, skus
from gqlstock.rules.catalog import InventoryTracking, OptionValue
from gqlstock.rules.import_rows import Row
from gqlstock.rules.refusals import invalid, shown

ATTRIBUTES = "attributes that define no variations"
DESCRIPTIONS = "descriptions of variations"
SWITCHED_OFF = "disabled variations"
SOME_ANY = 'variations with "any" value of an attribute for which other variations have a value'
NO_VARIATIONS = "variable products without variations: they cannot be ordered"
SHARED_STOCK = "variations that share their product's stock while others have their own: not counted"
WHOLE_PRODUCT = "SKUs of single variations, which were imported as the product itself"

Attributes = Mapping[str, tuple[str, ...]]


@dataclass(slots=True)
class _Attribute:
    """An attribute that variations name. ``values`` starts with the product's values, in its order."""

    name: str
    values: dict[str, None] = field(default_factory=dict)
    is_chosen: bool = False
    """Whether any variation has a value. If none has, all accept any value, and the attribute defines no combinations."""

    @property
    def option(self) -> catalog.Option:
        return catalog.Option(self.name, tuple(map(OptionValue, self.values)), self.is_chosen)


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable product: its own row, and the product read from it."""

    row: Row
    product: Product
    context: Context

    def with_variations(self, variations: Sequence[Row]) -> Product:
        """The product with its variations as combinations."""
        rows = [row for row in variations if self._is_on(row)]
        if not rows:
            self.context.to_check(self.row.line, NO_VARIATIONS, cells.label(self.row))
            return self._with_combinations(self.product, ())
        own = cells.attributes(self.row)
        choices = {row.line: self._choice(row, own) for row in rows}
        named = _named(own, list(choices.values()))
        if own.keys() - named.keys():
            self.context.not_carried(self.row.line, ATTRIBUTES, cells.label(self.row))
        product = replace(self.product, options=tuple(one.option for one in named.values() if one.values))
        chosen = [name for name, one in named.items() if one.is_chosen]
        if not chosen:
            return self._whole(product, rows)
        complete = [row for row in rows if self._is_complete(row, choices[row.line], chosen)]
        pairs = {row.line: tuple((name, choices[row.line][name]) for name in chosen) for row in complete}
        return self._counted(product, complete, pairs)

    def _is_on(self, row: Row) -> bool:
        with self.context.at(row.line):
            if cells.published(row) is False:
                self.context.not_carried(row.line, SWITCHED_OFF, cells.label(row), _units(row))
                return False
        return True

    def _choice(self, row: Row, own: Attributes) -> dict[str, str]:
        """The values of a variation by attribute name; an empty value stands for any."""
        choice = {}
        with self.context.at(row.line):
            for attribute, values in cells.attributes(row).items():
                if len(values) > 1:
                    raise invalid(
                        f"{shown(attribute)} has {len(values)} values, but a variation has one. Escape a comma in it as \\,"
                    )
                name = _known(attribute, own)
                choice[name] = _known(values[0], own.get(name, ())) if values else ""
        return choice

    def _is_complete(self, row: Row, choice: Mapping[str, str], chosen: Sequence[str]) -> bool:
        if all(choice.get(name) for name in chosen):
            return True
        with self.context.at(row.line):
            self.context.not_carried(row.line, SOME_ANY, cells.label(row), _units(row))
        return False

    def _whole(self, product: Product, rows: Sequence[Row]) -> Product:
        """A product whose only variation accepts any value of every attribute: it is imported without combinations."""
        one, *others = rows
        for row in others:
            place = self.context.place(one.line)
            message = f"This variation and {place} both accept any value of every attribute. Export all attributes."
            self.context.fault(row.line, message)
        if one["SKU"]:
            self.context.not_carried(one.line, WHOLE_PRODUCT, cells.label(one))
        is_shared = cells.counting(one) is Counting.PARENT
        product = replace(product, barcode=product.barcode or one[BARCODE] or None)
        return cells.without_options(product, self.row if is_shared else one, self.context)

    def _counted(self, product: Product, rows: Sequence[Row], choices: Mapping[int, Pairs]) -> Product:
        """A product with combinations that have their own stock, or that all share the product's."""
        shared = [row for row in rows if cells.counting(row) is Counting.PARENT]
        if rows and len(shared) == len(rows):
            variants = tuple(self._variant(row, choices[row.line]) for row in rows)
            return replace(cells.without_options(product, self.row, self.context), variants=variants)
        for row in shared:
            self.context.to_check(row.line, SHARED_STOCK, cells.label(row))
        found = []
        for row in rows:
            with self.context.at(row.line):
                found.append(self._with_stock(row, self._variant(row, choices[row.line])))
        return self._with_combinations(product, tuple(found))

    def _with_combinations(self, product: Product, variants: tuple[Variant, ...]) -> Product:
        # The product's own units cannot be counted anywhere; the import reports them.
        tracking = InventoryTracking.TRACK_WITH_OPTIONS
        return replace(product, tracking=tracking, variants=variants, counts=cells.units(self.row))

    def _variant(self, row: Row, choice: Pairs) -> Variant:
        if row["Description"]:
            self.context.not_carried(row.line, DESCRIPTIONS, cells.label(row))
        return Variant(
            line=row.line,
            choice=choice,
            sku=skus.normalized(row["SKU"]) or None,
            barcode=row[BARCODE] or None,
            images=cells.images(row, self.context),
        )

    def _with_stock(self, row: Row, variant: Variant) -> Variant:
        has_threshold = bool(self.row[LOW_STOCK])
        item = cells.item(row, self.context, is_variation=True, has_threshold=has_threshold)
        return replace(variant, settings=item.settings, counts=item.counts)


def _units(row: Row) -> Decimal | None:
    return next((count.on_hand for count in cells.units(row)), None)


def _named(own: Attributes, choices: Sequence[Mapping[str, str]]) -> dict[str, _Attribute]:
    """The attributes that variations name, in the product's order, then any that it lacks."""
    names = {name for choice in choices for name in choice}
    found = {name: _Attribute(name, dict.fromkeys(own[name])) for name in own if name in names}
    for choice in choices:
        for name, value in choice.items():
            one = found.setdefault(name, _Attribute(name))
            if value:
                one.is_chosen = True
                one.values[value] = None
    return found


def _known(name: str, names: Iterable[str]) -> str:
    """The known spelling of a name: an exact match, else a match in any case, else the name itself."""
    names = list(names)
    return name if name in names else next((known for known in names if known.casefold() == name.casefold()), name)
