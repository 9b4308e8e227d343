"""Availability in the schema: what a shop may show and sell, computed for many items of a website together."""

import base64
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from gqlstock.graphql.context import Info
from gqlstock.graphql.executor import derived_field
from gqlstock.graphql.relay import batch, nodes
from gqlstock.graphql.schema.settings.settings import SettingOrigin
from gqlstock.graphql.schema.user_errors import QuantityRules
from gqlstock.rules.catalog import InventoryStatus
from gqlstock.rules.explanation import TermKind
from gqlstock.rules.refusals import UnavailableReason
from gqlstock.services import assortments
from gqlstock.services.assortments import Wanted
from gqlstock.services.availability import Showing
from gqlstock.services.explanations import ExplainedTerm

if TYPE_CHECKING:
    from gqlstock.graphql.schema.catalog.items import InventoryItem

WebsiteArg = Annotated[
    str | None,
    strawberry.argument(
        description="The website's code. Default: the website of the enclosing product or list, else the default website."
    ),
]


@strawberry.type(description="Incoming units that no order waits for, by the time when they can leave.")
class IncomingStock:
    at: datetime = strawberry.field(description="When the units can leave.")
    quantity: Decimal | None = strawberry.field(
        description="The number of units. Null if the caller may not see salableQuantity."
    )


@strawberry.type(description="What a website may show and sell of one item, now.")
class Availability:
    showing: strawberry.Private[Showing]
    choice: strawberry.Private[str | None] = None
    """A digest of the selected options, for a selection that is not an item."""
    id: strawberry.ID = derived_field(
        lambda shown: _id(shown.showing, shown.choice),
        description=(
            "An id for clients that cache objects by id. It is stable for an item on a website. "
            "The query node does not accept it."
        ),
    )
    item: Annotated["InventoryItem", strawberry.lazy("gqlstock.graphql.schema.catalog.items")] = derived_field(
        lambda shown: nodes.on_website(nodes.show(shown.showing.item), shown.website), description="The item."
    )
    sku: str = strawberry.field(description="The item's SKU.")
    website: str = strawberry.field(description="The website's code.")
    status: InventoryStatus = strawberry.field(
        description="The effective status: the manually set one, else derived from the quantity."
    )
    visible: bool = strawberry.field(description="Whether the shop shows the product.")
    orderable: bool = strawberry.field(
        description="Whether the smallest allowed quantity can be ordered now, in stock or on backorder."
    )
    unavailable_reason: UnavailableReason | None = strawberry.field(
        description="Why it cannot be ordered. Null if orderable."
    )
    salable_quantity: Decimal | None = strawberry.field(
        description=(
            "The quantity that can be ordered. Null if stock is not tracked, if backorders are unlimited, or if "
            "displayStockQuantity is off and the caller lacks inventory:read for all warehouses."
        )
    )
    only_left: Decimal | None = strawberry.field(description="The X of 'Only X left'. Null above onlyXLeftThreshold.")
    low_inventory: bool = strawberry.field(
        description=(
            "Whether the quantity is above 0 and at or below lowInventoryThreshold. False if highlightLowInventory is off."
        )
    )
    backorder: bool = strawberry.field(
        description="Whether the smallest allowed quantity would be backordered, at least in part."
    )
    message: str | None = strawberry.field(
        description="A message for the shopper, such as the backorder notice. Null: none."
    )
    upcoming: bool = strawberry.field(description="Whether the item is announced and not available yet.")
    availability_date: datetime | None = strawberry.field(
        description="When an upcoming item will be available. Null: unknown."
    )
    availability_range: str | None = strawberry.field(
        description="The delivery time while it is out of stock, such as 2-4 weeks."
    )
    can_subscribe_back_in_stock: bool = strawberry.field(
        description="Whether shoppers can subscribe to a back-in-stock mail."
    )
    returnable: bool = strawberry.field(description="Whether shipped units can be returned.")
    expected_at: datetime | None = strawberry.field(
        description=(
            "When the smallest allowed quantity could leave if it has to wait for stock. Null while it is in stock, if no "
            "date is known, and if the caller may not see it (displayAvailability)."
        )
    )
    incoming: list["IncomingStock"] = derived_field(
        lambda shown: [IncomingStock(at=one.at, quantity=one.quantity) for one in shown.showing.assessment.incoming],
        description="Incoming units for new orders, soonest first.",
    )
    quantity_rules: QuantityRules = derived_field(
        lambda shown: QuantityRules.of(shown.showing.assessment.rules),
        description="The quantities in which it can be ordered.",
    )


@strawberry.type(description="One term of the sum behind an availability.")
class AvailabilityTerm:
    text: str = strawberry.field(description="An explanation for people, such as: 3 on hand in Berlin.")
    kind: TermKind = strawberry.field(description="What it is.")
    quantity: Decimal = strawberry.field(description="The signed quantity.")
    warehouse: str | None = strawberry.field(
        description="The warehouse's code. Null if the term is not about one warehouse."
    )
    origin: SettingOrigin | None = strawberry.field(description="For a threshold, the origin of its value.")

    @classmethod
    def of(cls, explained: ExplainedTerm) -> "AvailabilityTerm":
        term = explained.term
        return cls(
            text=term.text,
            kind=term.kind,
            quantity=term.quantity,
            warehouse=explained.warehouse,
            origin=SettingOrigin.of(explained.origin) if explained.origin else None,
        )


@strawberry.type(description="The sum behind an availability. The terms add up to salableQuantity.")
class AvailabilityExplanation:
    availability: Availability = strawberry.field(description="The explained availability.")
    terms: list[AvailabilityTerm] = strawberry.field(description="The terms. Empty if stock is not tracked.")


def _id(showing: Showing, choice: str | None) -> strawberry.ID:
    named = ("Availability", str(showing.item.id), showing.website, *([choice] if choice is not None else []))
    return strawberry.ID(base64.urlsafe_b64encode(":".join(named).encode()).decode())


def of(showing: Showing, choice: str | None = None) -> Availability:
    assessment = showing.assessment
    return Availability(
        showing=showing,
        choice=choice,
        sku=showing.item.sku,
        website=showing.website,
        status=assessment.status,
        visible=assessment.visible,
        orderable=assessment.orderable,
        unavailable_reason=assessment.reason,
        salable_quantity=assessment.salable,
        only_left=assessment.only_left,
        low_inventory=assessment.low_inventory,
        backorder=assessment.backorder,
        message=assessment.message,
        upcoming=assessment.upcoming,
        availability_date=assessment.availability_date,
        availability_range=assessment.availability_range,
        can_subscribe_back_in_stock=assessment.can_subscribe,
        returnable=assessment.returnable,
        expected_at=assessment.expected_at,
    )


def on_websites(parents: Sequence[Any], website: str | None) -> list[Wanted]:
    """The parents' items, each with its website: the given one, else the parent's."""
    return [(parent.row, website if website is not None else parent.website) for parent in parents]


async def of_items(parents: Sequence[Any], info: Info, website: WebsiteArg = None) -> list[Availability | None]:
    """The batch function of ``availability`` of products and combinations."""
    wanted = on_websites(parents, website)
    showings = await assortments.showings(wanted, info.context.caller)
    return [None if showing is None else of(showing) for showing in showings]


FIELD = batch.field(of_items, description="What the website may show and sell of it. [public]")
