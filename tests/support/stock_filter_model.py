"""Which items and orders pass the filters by stock, evaluated in plain Python over all rows of the database."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from gqlstock.store.db import sql
from gqlstock.store.db.records import moment

Row = Mapping[str, Any]
_TABLES = (
    *("item", "inventory_level", "low_inventory_alert", "setting_override", "category", "website", "warehouse"),
    *("assignment", "stock_hold", "held_units", "customer_order", "order_line", "allocation"),
)


@dataclass(frozen=True)
class StockFilterModel:
    """The rows of one instant, by table."""

    rows: Mapping[str, list[Row]]
    now: datetime

    @classmethod
    async def read(cls, now: datetime) -> "StockFilterModel":
        return cls({table: await sql.query(f"SELECT * FROM {table} ORDER BY id") for table in _TABLES}, now)

    def items(self, chosen: Mapping[str, bool | None], within: Collection[str] | None = None) -> set[str]:
        """The SKUs of the items that pass. ``within``: the codes of the warehouses that the caller reaches."""
        here = {one["id"] for one in self.rows["warehouse"] if within is None or one["code"] in within}
        return {
            item["sku"]
            for item in self.rows["item"]
            if item["deleted_at"] is None
            and all(
                self._has(name, item, here, all_of=within is None) is value
                for name, value in chosen.items()
                if value is not None
            )
        }

    def orders(self, to_ship: bool, within: Collection[str] | None = None) -> set[int]:
        """The ids of the orders with units to ship, or without."""
        here = {one["id"] for one in self.rows["warehouse"] if within is None or one["code"] in within}
        orders = {one["id"]: one["order_id"] for one in self.rows["order_line"]}
        having = {
            orders[one["line_id"]]
            for one in self.rows["allocation"]
            if one["state"] == "ON_HAND" and one["quantity"] > 0 and one["warehouse_id"] in here
        }
        everything = {one["id"] for one in self.rows["customer_order"]}
        return having if to_ship else everything - having

    def _has(self, name: str, item: Row, here: Collection[int], *, all_of: bool) -> bool:
        if name == "low":
            return any(
                one["item_id"] == item["id"]
                and one["state"] == "RAISED"
                and (all_of if one["warehouse_id"] is None else one["warehouse_id"] in here)
                for one in self.rows["low_inventory_alert"]
            )
        if name == "outOfStock":
            return self._is_out(item, here)
        return any(
            level[name] > 0
            for member in self._members(item)
            for level in self._levels(member)
            if level["warehouse_id"] in here
        )

    def _is_out(self, item: Row, here: Collection[int]) -> bool:
        product = self._product(item)
        if product["tracking"] == "DO_NOT_TRACK":
            return False
        if item["product_id"] is not None and product["tracking"] != "TRACK_WITH_OPTIONS":
            return False
        return all(self._is_managed(one) and not self._is_available(one, here) for one in self._members(item))

    def _is_available(self, item: Row, here: Collection[int]) -> bool:
        active = {one["id"] for one in self.rows["warehouse"] if one["active"]}
        return any(
            level["warehouse_id"] in active
            and level["warehouse_id"] in here
            and level["available"] + self._expired(level) > 0
            for level in self._levels(item)
        )

    def _expired(self, level: Row) -> int:
        over = {
            one["id"]
            for one in self.rows["stock_hold"]
            if one["state"] == "ACTIVE" and moment(one["expires_at"]) <= self.now
        }
        return sum(
            one["quantity"]
            for one in self.rows["held_units"]
            if one["hold_id"] in over and one["level_id"] == level["id"]
        )

    def _members(self, item: Row) -> list[Row]:
        """The items whose stock it has."""
        if item["product_id"] is not None or item["tracking"] != "TRACK_WITH_OPTIONS":
            return [item]
        return [one for one in self.rows["item"] if one["product_id"] == item["id"] and one["deleted_at"] is None]

    def _levels(self, item: Row) -> list[Row]:
        return [
            one for one in self.rows["inventory_level"] if one["item_id"] == item["id"] and one["deleted_at"] is None
        ]

    def _product(self, item: Row) -> Row:
        if item["product_id"] is None:
            return item
        return next(one for one in self.rows["item"] if one["id"] == item["product_id"])

    def _is_managed(self, item: Row) -> bool:
        """manageStock, from the strongest place that has a value."""
        product = self._product(item)
        places = [("COMBINATION", item["id"])] if item is not product else []
        places.append(("PRODUCT", product["id"]))
        category = product["category_id"]
        while category is not None:
            places.append(("CATEGORY", category))
            category = next(one["parent_id"] for one in self.rows["category"] if one["id"] == category)
        website = self._home(item)
        if website is not None:
            places += [("WEBSITE", website["id"]), ("ORGANIZATION", website["organization_id"])]
        places.append(("SYSTEM", 0))
        values = {(one["scope"], one["owner_id"]): _values(one) for one in self.rows["setting_override"]}
        found = [values.get(place, {}).get("manage_stock") for place in places]
        return next((one for one in found if one is not None), True)

    def _home(self, item: Row) -> Row | None:
        """The first website that sells from an active warehouse with a level of the item."""
        active = {one["id"] for one in self.rows["warehouse"] if one["active"]}
        having = {level["warehouse_id"] for level in self._levels(item)} & active
        for website in self.rows["website"]:
            own = [one for one in self.rows["assignment"] if one["website_id"] == website["id"]]
            inherited = [one for one in self.rows["assignment"] if one["organization_id"] == website["organization_id"]]
            if having & {one["warehouse_id"] for one in own or inherited}:
                return website
        return None


def _values(override: Row) -> dict[str, Any]:
    stored = override["values_set"]
    return orjson.loads(stored) if isinstance(stored, str) else stored
