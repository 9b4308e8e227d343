"""The variations of a variable product of WooCommerce: which attributes make them, and where they are counted.

The file does not say which attributes make variations: those that the variations name.
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

ATTRIBUTES = "attributes that make no variations"
DESCRIPTIONS = "descriptions of variations"
SWITCHED_OFF = "variations that are switched off"
SOME_ANY = "variations with any value of an attribute whose value others choose"
NO_VARIATIONS = "variable products without variations: nothing of them can be ordered"
SHARED_STOCK = "variations that sell from their product's stock, beside others with their own: not counted"
WHOLE_PRODUCT = "SKUs of variations that are the whole product"

Attributes = Mapping[str, tuple[str, ...]]


@dataclass(slots=True)
class _Attribute:
    """An attribute that variations name. ``values``: those of the product first, in its order."""

    name: str
    values: dict[str, None] = field(default_factory=dict)
    is_chosen: bool = False
    """Whether a variation chooses a value. If none does, any will do, and it makes no combinations."""

    @property
    def option(self) -> catalog.Option:
        return catalog.Option(self.name, tuple(map(OptionValue, self.values)), self.is_chosen)


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable product: its own row, and what that says."""

    row: Row
    product: Product
    context: Context

    def with_variations(self, variations: Sequence[Row]) -> Product:
        """The product with what the rows of its variations say."""
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
        """The values of a variation by the names of its attributes; empty where it takes any."""
        choice = {}
        with self.context.at(row.line):
            for given, values in cells.attributes(row).items():
                if len(values) > 1:
                    raise invalid(f"{shown(given)} has {len(values)} values, and a variation one: a comma in it is \\,")
                name = _known(given, own)
                choice[name] = _known(values[0], own.get(name, ())) if values else ""
        return choice

    def _is_complete(self, row: Row, choice: Mapping[str, str], chosen: Sequence[str]) -> bool:
        if all(choice.get(name) for name in chosen):
            return True
        with self.context.at(row.line):
            self.context.not_carried(row.line, SOME_ANY, cells.label(row), _units(row))
        return False

    def _whole(self, product: Product, rows: Sequence[Row]) -> Product:
        """A product whose only variation takes any value of every attribute: it is sold as one thing."""
        one, *others = rows
        for row in others:
            place = self.context.place(one.line)
            message = f"It takes any value of every attribute, as {place} does: are all attributes in the file?"
            self.context.fault(row.line, message)
        if one["SKU"]:
            self.context.not_carried(one.line, WHOLE_PRODUCT, cells.label(one))
        is_shared = cells.counting(one) is Counting.PARENT
        product = replace(product, barcode=product.barcode or one[BARCODE] or None)
        return cells.without_options(product, self.row if is_shared else one, self.context)

    def _counted(self, product: Product, rows: Sequence[Row], choices: Mapping[int, Pairs]) -> Product:
        """A product with combinations: each with its own stock, or all with that of the product."""
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
        # The units of the product itself are counted nowhere, and the import reports them.
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
    """The attributes that variations name, those of the product first."""
    names = {name for choice in choices for name in choice}
    found = {name: _Attribute(name, dict.fromkeys(own[name])) for name in own if name in names}
    for choice in choices:
        for name, value in choice.items():
            one = found.setdefault(name, _Attribute(name))
            if value:
                one.is_chosen = True
                one.values[value] = None
    return found


def _known(given: str, names: Iterable[str]) -> str:
    """A name as it is known: in the same spelling, else but for case, else as it is given."""
    names = list(names)
    return given if given in names else next((one for one in names if one.casefold() == given.casefold()), given)
