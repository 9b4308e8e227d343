"""Availability in the schema: what a shop may show and sell, worked out for many items of a website together."""

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
        description="The website's code; left out, that of the enclosing product or products, else the default one."
    ),
]


@strawberry.type(description="Units on their way that nobody waits for, by the moment at which they can leave.")
class IncomingStock:
    at: datetime = strawberry.field(description="When they can leave.")
    quantity: Decimal | None = strawberry.field(
        description="How many units; null where the caller may not see salableQuantity."
    )


@strawberry.type(description="What a shop may show and sell of one item on one website, now.")
class Availability:
    showing: strawberry.Private[Showing]
    choice: strawberry.Private[str | None] = None
    """A digest of the chosen options, where it is of a choice that is no item."""
    id: strawberry.ID = derived_field(
        lambda shown: _id(shown.showing, shown.choice),
        description=(
            "Of the item and the website together, and always the same for them: for clients that keep objects by id. "
            "node does not take it."
        ),
    )
    item: Annotated["InventoryItem", strawberry.lazy("gqlstock.graphql.schema.catalog.items")] = derived_field(
        lambda shown: nodes.on_website(nodes.show(shown.showing.item), shown.website), description="The item."
    )
    sku: str = strawberry.field(description="The item's SKU.")
    website: str = strawberry.field(description="The website's code.")
    status: InventoryStatus = strawberry.field(description="The status in effect: set by hand, else by the quantity.")
    visible: bool = strawberry.field(description="Whether the shop shows the product at all.")
    orderable: bool = strawberry.field(
        description="Whether the least quantity that the quantity rules allow can be ordered now, in stock or on backorder."
    )
    unavailable_reason: UnavailableReason | None = strawberry.field(description="Why not; null when orderable.")
    salable_quantity: Decimal | None = strawberry.field(
        description=(
            "null where nothing is counted, where backorders have no limit, or where displayStockQuantity is off and the "
            "caller lacks inventory:read for all warehouses."
        )
    )
    only_left: Decimal | None = strawberry.field(description="The X of 'Only X left'; null above the threshold.")
    low_inventory: bool = strawberry.field(
        description="Whether there is some, at or under lowInventoryThreshold, where highlightLowInventory is on."
    )
    backorder: bool = strawberry.field(description="The least quantity would be a backorder, in part or whole.")
    message: str | None = strawberry.field(
        description="What to tell the shopper, such as the backorder notice; null when there is nothing to say."
    )
    upcoming: bool = strawberry.field(description="Whether it is announced and not there yet.")
    availability_date: datetime | None = strawberry.field(description="When it is to be there.")
    availability_range: str | None = strawberry.field(
        description="When it can be had while it is not in stock, such as 2-4 weeks."
    )
    can_subscribe_back_in_stock: bool = strawberry.field(
        description="Whether shoppers may leave an address for when it is back."
    )
    returnable: bool = strawberry.field(description="Whether shipped units can be returned.")
    expected_at: datetime | None = strawberry.field(
        description=(
            "When the least that can be ordered could leave if it had to wait; null while it is in stock, and where no date "
            "is known or the caller may not see it (displayAvailability)."
        )
    )
    incoming: list["IncomingStock"] = derived_field(
        lambda shown: [IncomingStock(at=one.at, quantity=one.quantity) for one in shown.showing.assessment.incoming],
        description="What is on its way for new orders, soonest first.",
    )
    quantity_rules: QuantityRules = derived_field(
        lambda shown: QuantityRules.of(shown.showing.assessment.rules),
        description="In what quantities it can be ordered.",
    )


@strawberry.type(description="One addend of an availability.")
class AvailabilityTerm:
    text: str = strawberry.field(description="A sentence, such as: 3 on hand in Berlin.")
    kind: TermKind = strawberry.field(description="What it is.")
    quantity: Decimal = strawberry.field(description="Signed.")
    warehouse: str | None = strawberry.field(description="The warehouse's code, where it is of one.")
    origin: SettingOrigin | None = strawberry.field(description="For a threshold: where its value comes from.")

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


@strawberry.type(description="The sum behind an availability, term by term; the terms add up to salableQuantity.")
class AvailabilityExplanation:
    availability: Availability = strawberry.field(description="What is explained.")
    terms: list[AvailabilityTerm] = strawberry.field(description="The addends; none where nothing is counted.")


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
    """The items of parents, each with the website that was asked for: the one given, else the parent's."""
    return [(parent.row, website if website is not None else parent.website) for parent in parents]


async def of_items(parents: Sequence[Any], info: Info, website: WebsiteArg = None) -> list[Availability | None]:
    """The batch function behind ``availability`` of products and combinations."""
    wanted = on_websites(parents, website)
    showings = await assortments.showings(wanted, info.context.caller)
    return [None if showing is None else of(showing) for showing in showings]


FIELD = batch.field(of_items, description="What the website may show and sell of it. [public]")
