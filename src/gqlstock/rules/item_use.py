"""Whether items are in use. Items with stock, claims or open orders cannot be deleted, nor stop being counted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from gqlstock.rules import catalog, orders, refusals
from gqlstock.rules.catalog import InventoryTracking, Item
from gqlstock.rules.ledger import Level
from gqlstock.rules.refusals import wrong_state

_COUNTED = {InventoryTracking.TRACK_WITHOUT_OPTIONS, InventoryTracking.TRACK_WITH_OPTIONS}


@dataclass(frozen=True, slots=True)
class ItemUse:
    """The levels in use of some items, and for each item with open orders, one of them by item id."""

    levels: Sequence[Level] = ()
    orders: Mapping[int, int] = field(default_factory=dict)

    def check_unused(self, items: Sequence[Item], at: str = "sku") -> None:
        """Refuse if a level of an item has any units, or an open order contains an item."""
        by_id = {item.id: item for item in items}
        for level in self.levels:
            if level.item_id in by_id and any(level.figures):
                raise wrong_state(f"{by_id[level.item_id].sku} still has stock or claims in a warehouse.", at)
        order_id = next((self.orders[item.id] for item in items if item.id in self.orders), None)
        if order_id is not None:
            names = refusals.shown(", ".join(item.sku for item in items))
            raise wrong_state(f"Order {orders.number(order_id)} still waits for one of: {names}.", at)


def losing_stock(before: InventoryTracking, product: Item, members: Sequence[Item]) -> list[Item]:
    """The items whose levels are no longer counted after switching between the counted modes. Other changes affect none."""
    if before is product.tracking or {before, product.tracking} != _COUNTED:
        return []
    return [product] if catalog.counts_combinations(product.tracking) else list(members)
