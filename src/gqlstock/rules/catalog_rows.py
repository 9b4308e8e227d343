"""The part of the catalog that changes are decided against."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gqlstock.rules.catalog import Item
from gqlstock.rules.fallback import Place
from gqlstock.rules.item_use import ItemUse

Changes = Mapping[str, Any]
"""Requested changes by field name. Omitted fields stay unchanged; None clears a field."""


@dataclass(slots=True)
class CatalogRows:
    """What edits are decided against, as read under locks.

    ``items``: the locked products with their combinations. ``by_sku``: the items in use with the SKUs that edits name,
    by normalized SKU. ``slugs``: the products in use with the slugs that edits name or may generate.
    """

    items: Mapping[int, Item] = field(default_factory=dict)
    by_sku: Mapping[str, Item] = field(default_factory=dict)
    taken_skus: Collection[str] = ()
    """The SKUs in use that generated SKUs could equal."""
    slugs: Mapping[str, int] = field(default_factory=dict)
    categories: Mapping[str, int] = field(default_factory=dict)
    warehouses: Mapping[str, int] = field(default_factory=dict)
    settings: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)
    """The settings that items set themselves."""
    counted_in_parts: Collection[int] = ()
    """The items with a level that allows fractions."""
    above: Mapping[int | None, Sequence[Place]] = field(default_factory=dict)
    """The places above the items of each category, highest precedence first. None: of items without a category."""
    use: ItemUse = field(default_factory=ItemUse)
    use_read_of: Collection[int] = ()
    """The items whose ``use`` was read."""
