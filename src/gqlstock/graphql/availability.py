"""Availability in the schema: what a shop may show and sell, worked out for many items of a website together."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from gqlstock.graphql import batch, nodes
from gqlstock.graphql.context import Info
from gqlstock.graphql.errors import BadUserInput, QuantityRules
from gqlstock.graphql.executor import derived_field
from gqlstock.graphql.settings import SettingOrigin
from gqlstock.rules import availability as rules
from gqlstock.rules.assortment import Assortment
from gqlstock.rules.availability import Assessment
from gqlstock.rules.catalog import InventoryStatus, Item
from gqlstock.rules.explanation import TermKind
from gqlstock.rules.network import SalesChannel
from gqlstock.rules.refusals import UnavailableReason
from gqlstock.services.availability import Showing
from gqlstock.services.explanations import ExplainedTerm

if TYPE_CHECKING:
    from gqlstock.graphql.items import InventoryItem

WebsiteArg = Annotated[
    str | None,
    strawberry.argument(
        description="The website's code; left out, that of the enclosing product or products, else the default one."
    ),
]


@strawberry.type(description="What a shop may show and sell of one item on one website, now.")
class Availability:
    showing: strawberry.Private[Showing]
    item: Annotated["InventoryItem", strawberry.lazy("gqlstock.graphql.items")] = derived_field(
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


def shown(item: Item, assessment: Assessment, assortment: Assortment, info: Info) -> Availability:
    """An assessment as this caller may see it."""
    if not info.context.caller.sees_all_stock:
        assessment = rules.for_public(assessment, assortment.settings(item))
    return of(Showing(item, assortment.channel.code, assessment))


def of(showing: Showing) -> Availability:
    assessment = showing.assessment
    return Availability(
        showing=showing,
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
    )


async def channel_of(info: Info, website: str | None) -> SalesChannel | None:
    """The website of that code, the default one without; None while there is none at all."""
    found = (await info.context.network()).find(website)
    if found is None and website is not None:
        raise BadUserInput(f"There is no website {website:.80}.")
    return found


async def assortments(items: Iterable[tuple[Item, str | None]], info: Info) -> dict[str | None, Assortment]:
    """An assortment for each website that items are asked for on; none where there is no website yet."""
    by_website: dict[str | None, list[Item]] = {}
    for item, website in items:
        by_website.setdefault(website, []).append(item)
    out = {}
    for website, wanted in by_website.items():
        channel = await channel_of(info, website)
        if channel is not None:
            out[website] = await info.context.assortment(wanted, channel)
    return out


async def of_items(parents: Sequence[Any], info: Info, website: WebsiteArg = None) -> list[Availability | None]:
    """The batch function behind ``availability`` of products and combinations."""
    wanted = [(parent.row, website if website is not None else parent.website) for parent in parents]
    found = await assortments(wanted, info)
    return [
        shown(item, found[asked].assess(item), found[asked], info)
        if asked in found and item.deleted_at is None
        else None
        for item, asked in wanted
    ]


FIELD = batch.field(of_items, description="What the website may show and sell of it. [public]")
