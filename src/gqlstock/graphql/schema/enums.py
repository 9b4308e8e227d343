"""The rules' enums as the schema shows them, with a description for every value. Importing it registers them."""

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
    """Register an enum with the schema; a value without a description is a mistake of ours."""
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
        "DO_NOT_TRACK": "No stock is counted: always orderable.",
        "TRACK_WITHOUT_OPTIONS": (
            "One quantity for the product; options change pictures, never the code or the quantity."
        ),
        "TRACK_WITH_OPTIONS": "One quantity for each combination of the options ticked for inventory.",
    },
)
described(
    catalog.InventoryStatus,
    "How an item stands in the shop.",
    {
        "IN_STOCK": "The least quantity that can be ordered is available, or nothing is counted.",
        "OUT_OF_STOCK": "Less is available than can be ordered, or it was set so by hand.",
        "DISCONTINUED": "It will not come back; only set by hand.",
    },
)
described(
    ledger.MovementKind,
    name="StockMovementKind",
    description="Why onHand changed.",
    values={
        "ADJUSTMENT": "Somebody corrected it.",
        "COUNT": "It was counted.",
        "RECEIPT": "A delivery arrived.",
        "SALE": "It was ordered, or ordered units were moved there (decrementInventory ON_ORDER).",
        "SHIPMENT": "It left with a shipment (decrementInventory ON_SHIPMENT).",
        "CANCELLATION": "An order was canceled, or its units were moved to another warehouse.",
        "RETURN": "A customer sent it back.",
        "TRANSFER_OUT": "It left for another warehouse.",
        "TRANSFER_IN": "It came from another warehouse.",
        "IMPORT": "A file said so.",
    },
)
described(
    settings.BackorderMode,
    "Whether more can be ordered than is there.",
    {
        "NO_BACKORDERS": "No.",
        "ALLOW": "Yes.",
        "ALLOW_AND_NOTIFY_CUSTOMER": "Yes, and the shopper is told.",
    },
)
described(
    settings.LowStockActivity,
    "What happens to an item under minimumStockQuantity.",
    {
        "NOTHING": "Nothing.",
        "DISABLE_BUY_BUTTON": "It is shown and cannot be ordered.",
        "UNPUBLISH": "It is not shown.",
    },
)
described(
    settings.InventoryDecrement,
    "When placing an order takes the units off onHand. NEVER leaves quantities to an outside system.",
    {
        "ON_ORDER": "At once.",
        "ON_SHIPMENT": "When they leave; until then they are reserved, then planned.",
        "NEVER": "Not at all.",
    },
)
described(
    settings.InsufficientStockAction,
    "What an order that cannot be filled becomes: refused, or parked with the status BACKORDERED and nothing taken.",
    {"REJECT": "It is refused.", "HOLD_ORDER": "It is parked, and can be tried again."},
)
described(
    settings.SourceSelection,
    "Which warehouse gives first.",
    {"PRIORITY": "By the priority on the website.", "DISTANCE": "The nearest to where it goes."},
)
described(
    settings.SettingScope,
    "Strongest first: a level's own setting beats its combination's, and so on down to the built-in default.",
    {
        "LEVEL": "One item in one warehouse.",
        "COMBINATION": "A combination.",
        "PRODUCT": "A product.",
        "CATEGORY": "A category, or one of its parents.",
        "WEBSITE": "A website.",
        "ORGANIZATION": "An organization.",
        "SYSTEM": "The whole installation.",
        "DEFAULT": "What is built in.",
    },
)
described(
    refusals.UnavailableReason,
    "Why an item cannot be ordered.",
    {
        "NOT_PUBLISHED": "The product is not published.",
        "LOW_STOCK_UNPUBLISHED": "It is under minimumStockQuantity, and hidden for it.",
        "LOW_STOCK_BUY_DISABLED": "It is under minimumStockQuantity, and not sold for it.",
        "STATUS_NOT_ORDERABLE": "The status set by hand is not among orderableStatuses.",
        "NO_QUANTITY_ALLOWED": "The quantity rules in effect leave no quantity that could be ordered.",
        "OUT_OF_STOCK": "Less can be sold than the least quantity that can be ordered.",
        "SELECT_OPTIONS": "The product is sold by its options: not each of them is chosen.",
        "COMBINATION_UNAVAILABLE": "There is no such combination.",
        "NOT_SOLD_HERE": "Only warehouses that the website does not sell from have it, or it sells from none.",
    },
)
described(
    explanation.TermKind,
    name="AvailabilityTermKind",
    description="What a term of an availability is.",
    values={
        "ON_HAND": "Units that lie there.",
        "RESERVED": "Units reserved for orders.",
        "PLANNED": "Units in shipments that have not left.",
        "HELD": "Units held for carts.",
        "BACKORDERED": "Units that are backordered already.",
        "SAFETY_STOCK": "Units that are never sold.",
        "BACKORDER_LIMIT": "How many units backorders may reach.",
        "INACTIVE_WAREHOUSE": "A warehouse that sells nothing now; 0.",
        "SHORTFALL": "Gives back what is cut at zero; takes off what cannot be had in one line.",
        "INCOMING": "Units announced with a date, where backordersFromIncoming is on.",
    },
)
described(
    orders.OrderStatus,
    "How far an order is.",
    {
        "PLACED": "Accepted; nothing has left yet.",
        "BACKORDERED": "Parked for want of stock: retryOrder tries it again.",
        "PARTIALLY_SHIPPED": "Some of it has left.",
        "SHIPPED": "All of it that was not canceled has left.",
        "CANCELED": "All of it was canceled.",
    },
)
described(
    allocation.AllocationState,
    "How the units of an allocation stand.",
    {
        "ON_HAND": "They are there.",
        "BACKORDERED": "They wait for stock.",
        "SHIPPED": "They have left.",
        "RETURNED": "They have come back.",
        "CANCELED": "They are not wanted any more.",
    },
)
described(
    shipments.ShipmentState,
    "How far a shipment is.",
    {
        "PENDING": "A unit in it waits for stock.",
        "READY": "It can be shipped.",
        "SHIPPED": "It has left.",
        "CANCELED": "Its units are in no shipment any more.",
    },
)
described(
    transfers.InventoryTransferState,
    "How far a transfer is.",
    {
        "IN_TRANSIT": "Some of it is on the way.",
        "RECEIVED": "Nothing of it is on the way any more: it has arrived, or is lost.",
        "CANCELED": "What was still on the way has come back.",
    },
)
described(
    holds.StockHoldState,
    "Whether a hold still holds anything.",
    {
        "ACTIVE": "It does.",
        "ORDERED": "It was ordered.",
        "RELEASED": "It was released.",
        "EXPIRED": "Its time was up.",
    },
)
described(
    alerts.AlertState,
    "Whether a low-inventory alert is still open.",
    {"RAISED": "The quantity is below notifyBelow.", "RESOLVED": "It is back at notifyBelow or over it."},
)
described(
    back_in_stock.BackInStockState,
    "Whether somebody still waits for an item.",
    {
        "WAITING": "The item is not back yet.",
        "NOTIFIED": "It was back, and the mail is sent.",
        "CANCELED": "They do not want to know any more, or cannot be written to.",
    },
)
described(
    webhooks.WebhookTopic,
    "What a webhook tells of.",
    {
        "LOW_INVENTORY": "An item's quantity fell below notifyBelow: an alert was raised.",
        "OUT_OF_STOCK": "An item has run out on a website: less is left than can be ordered.",
        "BACK_IN_STOCK": "An item is in stock on a website again.",
        "INVENTORY_CHANGED": "The figures of a level changed.",
        "ORDER_PLACED": "There is a new order.",
        "ORDER_UPDATED": "An order changed.",
        "ORDER_DATE_CHANGED": "The date of a line of an order that waits for stock changed.",
        "TRANSFER_UPDATED": (
            "A transfer was shipped, received in part, closed or canceled, or is expected at another date."
        ),
    },
)
described(
    retries.WorkState,
    name="WebhookDeliveryState",
    description="How far a message to an endpoint is.",
    values={
        "PENDING": "It is still to be delivered.",
        "DELIVERED": "The endpoint took it.",
        "FAILED": "It was given up; redeliverWebhook sends it again.",
    },
)
described(
    refusals.Code,
    name="UserErrorCode",
    description="What kind of refusal a user error is.",
    values={
        "INVALID_INPUT": "The value is wrong in itself.",
        "NOT_FOUND": "What was named does not exist.",
        "ALREADY_EXISTS": "The name is taken.",
        "INSUFFICIENT_STOCK": "There is not as much.",
        "QUANTITY_NOT_ALLOWED": "The quantity breaks the item's rules.",
        "NOT_ORDERABLE": "The item cannot be ordered now.",
        "STALE_QUANTITY": "The stock is not what the caller took it for.",
        "NOT_RETURNABLE": "The item cannot be returned.",
        "INVALID_STATE": "It does not fit how things stand.",
        "IDEMPOTENCY_CONFLICT": "The key was used with another input.",
        "HOLD_EXPIRED": "The hold is over.",
        "NOT_TRACKED": "The item has no stock of its own.",
        "TOO_MANY": "There is more of it than one call takes.",
    },
)
