"""Registers the enums of the rules with the schema, with a description for every value."""

from enum import StrEnum
from typing import Any

import strawberry

from gqlstock.rules import (
    alerts,
    allocation,
    back_in_stock,
    catalog,
    explanation,
    holds,
    ledger,
    orders,
    refusals,
    retries,
    settings,
    shipments,
    transfers,
    webhooks,
)

Descriptions = dict[str, str]


def described(enum: type[StrEnum], description: str, values: Descriptions, name: str | None = None) -> None:
    """Register an enum with the schema. Every value needs a description."""
    missing = [member.name for member in enum if member.name not in values]
    if missing:
        raise TypeError(f"{enum.__name__} has undescribed values: {missing}")
    definition: Any = strawberry.enum(enum, description=description, name=name)
    for value in definition.__strawberry_definition__.values:
        value.description = values[value.name]


described(
    catalog.InventoryTracking,
    "How a product's stock is counted.",
    {
        "DO_NOT_TRACK": "Stock is not counted. Always orderable.",
        "TRACK_WITHOUT_OPTIONS": ("One quantity for the product. Options change pictures, never code or quantity."),
        "TRACK_WITH_OPTIONS": "One quantity for each combination of the inventory options.",
    },
)
described(
    catalog.InventoryStatus,
    "The inventory status of an item in the shop.",
    {
        "IN_STOCK": "The smallest allowed quantity is available, or stock is not counted.",
        "OUT_OF_STOCK": "Less than the smallest allowed quantity is available, or the status was set manually.",
        "DISCONTINUED": "It will not return. Only set manually.",
    },
)
described(
    ledger.MovementKind,
    name="StockMovementKind",
    description="Why onHand changed.",
    values={
        "ADJUSTMENT": "A correction.",
        "COUNT": "A count.",
        "RECEIPT": "A delivery was received.",
        "SALE": "Units were ordered, or ordered units were moved to this warehouse (decrementInventory ON_ORDER).",
        "SHIPMENT": "Units were shipped (decrementInventory ON_SHIPMENT).",
        "CANCELLATION": "Ordered units were canceled, or moved to another warehouse.",
        "RETURN": "A customer returned units.",
        "TRANSFER_OUT": "Units left for another warehouse.",
        "TRANSFER_IN": "Units arrived from another warehouse.",
        "IMPORT": "An imported file.",
    },
)
described(
    settings.BackorderMode,
    "Whether more can be ordered than is available.",
    {
        "NO_BACKORDERS": "No.",
        "ALLOW": "Yes.",
        "ALLOW_AND_NOTIFY_CUSTOMER": "Yes, and the shopper sees a notice.",
    },
)
described(
    settings.LowStockActivity,
    "What happens to an item below minimumStockQuantity.",
    {
        "NOTHING": "Nothing.",
        "DISABLE_BUY_BUTTON": "It is shown but cannot be ordered.",
        "UNPUBLISH": "It is not shown.",
    },
)
described(
    settings.InventoryDecrement,
    "When ordered units are deducted from onHand. NEVER leaves quantities to an external system.",
    {
        "ON_ORDER": "When the order is placed.",
        "ON_SHIPMENT": "When they are shipped. Until then they are reserved, then planned.",
        "NEVER": "Never.",
    },
)
described(
    settings.InsufficientStockAction,
    "What happens to an order that cannot be filled.",
    {
        "REJECT": "It is refused.",
        "HOLD_ORDER": "It is parked with the status BACKORDERED, takes no stock, and can be retried.",
    },
)
described(
    settings.SourceSelection,
    "Which warehouse is used first.",
    {"PRIORITY": "By the website's priorities.", "DISTANCE": "The nearest to the destination."},
)
described(
    settings.SettingScope,
    "The places of settings, strongest first: a level's own setting overrides its combination's, and so on.",
    {
        "LEVEL": "One item in one warehouse.",
        "COMBINATION": "A combination.",
        "PRODUCT": "A product.",
        "CATEGORY": "A category, or one of its parents.",
        "WEBSITE": "A website.",
        "ORGANIZATION": "An organization.",
        "SYSTEM": "The whole installation.",
        "DEFAULT": "The built-in default.",
    },
)
described(
    refusals.UnavailableReason,
    "Why an item cannot be ordered.",
    {
        "NOT_PUBLISHED": "The product is not published.",
        "LOW_STOCK_UNPUBLISHED": "It is below minimumStockQuantity and therefore hidden.",
        "LOW_STOCK_BUY_DISABLED": "It is below minimumStockQuantity and therefore not sold.",
        "STATUS_NOT_ORDERABLE": "The manually set status is not among orderableStatuses.",
        "NO_QUANTITY_ALLOWED": "The quantity rules allow no quantity.",
        "OUT_OF_STOCK": "Less can be sold than the smallest allowed quantity.",
        "SELECT_OPTIONS": "The product is sold by options, and not all of them are selected.",
        "COMBINATION_UNAVAILABLE": "There is no such combination.",
        "NOT_SOLD_HERE": "The website sells from none of the warehouses that have it.",
    },
)
described(
    explanation.TermKind,
    name="AvailabilityTermKind",
    description="The kind of a term of an availability.",
    values={
        "ON_HAND": "Units on hand.",
        "RESERVED": "Units reserved for orders.",
        "PLANNED": "Units in shipments that have not left.",
        "HELD": "Units held for carts.",
        "BACKORDERED": "Units that are already backordered.",
        "SAFETY_STOCK": "Units that are never sold.",
        "BACKORDER_LIMIT": "The limit of backordered units.",
        "INACTIVE_WAREHOUSE": "An inactive warehouse, which counts 0.",
        "SHORTFALL": "A correction: adds what is cut at zero, subtracts what one order line cannot get.",
        "INCOMING": "Units announced with a date, if backordersFromIncoming is on.",
    },
)
described(
    orders.OrderStatus,
    "The status of an order.",
    {
        "PLACED": "Accepted. Nothing is shipped yet.",
        "BACKORDERED": "Parked for lack of stock. retryOrder retries it.",
        "PARTIALLY_SHIPPED": "A part is shipped.",
        "SHIPPED": "Everything that was not canceled is shipped.",
        "CANCELED": "Everything was canceled.",
    },
)
described(
    allocation.AllocationState,
    "The state of the units of an allocation.",
    {
        "ON_HAND": "The units are on hand.",
        "BACKORDERED": "The units wait for stock.",
        "SHIPPED": "The units are shipped.",
        "RETURNED": "The units were returned.",
        "CANCELED": "The units were canceled.",
    },
)
described(
    shipments.ShipmentState,
    "The state of a shipment.",
    {
        "PENDING": "A unit in it waits for stock.",
        "READY": "It can be shipped.",
        "SHIPPED": "It is shipped.",
        "CANCELED": "It was canceled. Its units are in no shipment.",
    },
)
described(
    transfers.InventoryTransferState,
    "The state of a transfer.",
    {
        "IN_TRANSIT": "Units are in transit.",
        "RECEIVED": "All units have arrived or are lost.",
        "CANCELED": "Units in transit have returned to the source.",
    },
)
described(
    holds.StockHoldState,
    "The state of a hold.",
    {
        "ACTIVE": "It holds units.",
        "ORDERED": "Its units were ordered.",
        "RELEASED": "It was released.",
        "EXPIRED": "It expired.",
    },
)
described(
    alerts.AlertState,
    "The state of a low-inventory alert.",
    {"RAISED": "The quantity is below notifyBelow.", "RESOLVED": "The quantity is at notifyBelow or above again."},
)
described(
    back_in_stock.BackInStockState,
    "The state of a back-in-stock subscription.",
    {
        "WAITING": "The item is still out of stock.",
        "NOTIFIED": "The item is back and the mail was sent.",
        "CANCELED": "It was canceled, or the address cannot receive mail.",
    },
)
described(
    webhooks.WebhookTopic,
    "The topic of a webhook.",
    {
        "LOW_INVENTORY": "An item's quantity fell below notifyBelow: an alert was raised.",
        "OUT_OF_STOCK": "An item ran out on a website: less is left than can be ordered.",
        "BACK_IN_STOCK": "An item is in stock on a website again.",
        "INVENTORY_CHANGED": "The figures of a level changed.",
        "ORDER_PLACED": "An order was placed or parked.",
        "ORDER_UPDATED": "An order changed.",
        "ORDER_DATE_CHANGED": "The expectedAt of any line of an order changed.",
        "SHIPMENT_UPDATED": "A shipment was created, became ready, waits again, was shipped or was canceled.",
        "TRANSFER_UPDATED": (
            "A transfer was shipped, partly received, closed or canceled, or its expected date changed."
        ),
        "LOW_INVENTORY_RESOLVED": "A low-inventory alert was resolved.",
        "PRODUCT_UPDATED": "A product or a combination was created, changed or deleted, or its own settings changed.",
        "TEST": "A test message from testWebhookEndpoint. Endpoints get it regardless of their topics.",
    },
)
described(
    retries.WorkState,
    name="WebhookDeliveryState",
    description="The state of a webhook delivery.",
    values={
        "PENDING": "It is waiting to be delivered.",
        "DELIVERED": "The endpoint accepted it.",
        "FAILED": "All attempts failed. redeliverWebhook sends it again.",
    },
)
described(
    refusals.Code,
    name="UserErrorCode",
    description="The kind of a user error.",
    values={
        "INVALID_INPUT": "The value is invalid.",
        "NOT_FOUND": "The named object does not exist.",
        "ALREADY_EXISTS": "The name is already used.",
        "INSUFFICIENT_STOCK": "Less stock is available than requested.",
        "QUANTITY_NOT_ALLOWED": "The quantity violates the item's quantity rules.",
        "NOT_ORDERABLE": "The item cannot be ordered now.",
        "STALE_QUANTITY": "The stock differs from the quantity that the caller expected.",
        "NOT_RETURNABLE": "The item cannot be returned.",
        "INVALID_STATE": "The change conflicts with the current state.",
        "IDEMPOTENCY_CONFLICT": "The key was already used with another input.",
        "HOLD_EXPIRED": "The hold has ended.",
        "NOT_TRACKED": "The item has no stock of its own.",
        "TOO_MANY": "Too many requests, or more than one call may contain.",
    },
)
