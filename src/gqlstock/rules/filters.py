"""The filters of lists. All conditions must hold; None means no condition. The queries are in ``store``."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from gqlstock.rules.alerts import AlertState
from gqlstock.rules.catalog import InventoryStatus, InventoryTracking
from gqlstock.rules.holds import StockHoldState
from gqlstock.rules.ledger import MovementKind
from gqlstock.rules.orders import OrderStatus
from gqlstock.rules.shipments import ShipmentState
from gqlstock.rules.transfers import InventoryTransferState


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductFilter:
    """``category``: a slug; includes the categories below it. ``in_stock``: on the website of the request."""

    search: str | None = None
    skus: Collection[str] | None = None
    category: str | None = None
    updated_since: datetime | None = None
    published: bool | None = None
    tracking: InventoryTracking | None = None
    in_stock: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemFilter:
    """``warehouse``: the code of a warehouse with a level of the item. ``available_below``: over active warehouses.

    ``low``: with an open alert. ``out_of_stock``: counted, and not available in any active warehouse. ``backordered``,
    ``incoming``: any units in any warehouse. A product tracked with options has the stock of its combinations, but no
    alerts.
    """

    search: str | None = None
    skus: Collection[str] | None = None
    category: str | None = None
    updated_since: datetime | None = None
    warehouse: str | None = None
    available_below: Decimal | None = None
    low: bool | None = None
    out_of_stock: bool | None = None
    backordered: bool | None = None
    incoming: bool | None = None

    @property
    def tells_stock(self) -> bool:
        """Whether the list reveals stock."""
        of_stock = self.warehouse, self.available_below, self.low, self.out_of_stock, self.backordered, self.incoming
        return any(one is not None for one in of_stock)


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelFilter:
    """``website``: the code of a website that sells from the warehouse. ``product``: the SKU of the item's product."""

    search: str | None = None
    skus: Collection[str] | None = None
    warehouses: Collection[str] | None = None
    website: str | None = None
    product: str | None = None
    category: str | None = None
    available_at_least: Decimal | None = None
    available_below: Decimal | None = None
    updated_since: datetime | None = None
    status: Collection[InventoryStatus] | None = None
    include_deleted: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MovementFilter:
    """``order``: its number."""

    skus: Collection[str] | None = None
    warehouses: Collection[str] | None = None
    kinds: Collection[MovementKind] | None = None
    order: str | None = None
    reference: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnouncementFilter:
    """``open``: whether units remain. Date bounds are inclusive, and exclude announcements without a date."""

    skus: Collection[str] | None = None
    warehouses: Collection[str] | None = None
    open: bool | None = None
    overdue: bool | None = None
    expected_from: datetime | None = None
    expected_until: datetime | None = None
    reference: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldFilter:
    """``states``: the current ones, swept or not. ``website``: its code. ``sku``: of a line, as held or as it is now."""

    states: Collection[StockHoldState] | None = None
    website: str | None = None
    sku: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeFilter:
    """``skus``: includes deleted items."""

    skus: Collection[str] | None = None
    warehouses: Collection[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderFilter:
    """``sku``: of a line, as ordered or as it is now. ``to_ship``: with units on hand that have not been
    shipped, in ``warehouse`` if it is given."""

    search: str | None = None
    statuses: Collection[OrderStatus] | None = None
    to_ship: bool | None = None
    warehouse: str | None = None
    sku: str | None = None
    reference: str | None = None
    website: str | None = None
    customer_email: str | None = None
    updated_since: datetime | None = None
    placed_since: datetime | None = None
    placed_until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShipmentFilter:
    """``order``: its number."""

    states: Collection[ShipmentState] | None = None
    warehouse: str | None = None
    order: str | None = None
    updated_since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferFilter:
    """``warehouse``: the code of the source or destination. ``skus``: as stored in a line, or as they are now."""

    states: Collection[InventoryTransferState] | None = None
    warehouse: str | None = None
    skus: Collection[str] | None = None
    reference: str | None = None
    updated_since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertFilter:
    """``skus``: as stored in the alert, or as they are now."""

    state: AlertState | None = None
    acknowledged: bool | None = None
    skus: Collection[str] | None = None
    warehouses: Collection[str] | None = None
    category: str | None = None
