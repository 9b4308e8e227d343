"""What the shop shows when option values are selected."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import strawberry

from gqlstock.graphql.context import Info
from gqlstock.graphql.errors import BadUserInput
from gqlstock.graphql.relay import nodes
from gqlstock.graphql.schema.catalog import availability
from gqlstock.graphql.schema.catalog.availability import Availability, WebsiteArg
from gqlstock.graphql.schema.catalog.options import Image, OptionChoice, OptionChoiceValue, SelectedOptionInput
from gqlstock.rules.refusals import Refused
from gqlstock.services import select_options
from gqlstock.services.select_options import Selection

if TYPE_CHECKING:
    from gqlstock.graphql.schema.catalog.products import Combination, Product

OptionsArg = Annotated[
    list[SelectedOptionInput], strawberry.argument(description="The options that the shopper has selected so far.")
]


@strawberry.type(description="What the shop shows when option values are selected.")
class ProductSelection:
    product: Annotated["Product", strawberry.lazy("gqlstock.graphql.schema.catalog.products")] = strawberry.field(
        description="The product."
    )
    combination: Annotated["Combination", strawberry.lazy("gqlstock.graphql.schema.catalog.products")] | None = (
        strawberry.field(description="The selected combination. Null if the selection is incomplete or has none.")
    )
    complete: bool = strawberry.field(description="Whether every inventory option has a value.")
    code: str = strawberry.field(description="The code to show.")
    images: list[Image] = strawberry.field(description="The pictures to show.")
    choices: list[OptionChoice] = strawberry.field(description="All options with their values, for the option picker.")
    availability: Availability | None = strawberry.field(description="The availability of the selection.")


async def of_products(
    parents: Sequence["Product"], info: Info, options: OptionsArg, website: WebsiteArg = None
) -> list[ProductSelection | Exception | None]:
    wanted = availability.on_websites(parents, website)
    chosen = [(option.name, option.value) for option in options]
    found = await select_options.select(wanted, chosen, info.context.caller)
    return [
        _shown(parent, asked, selection) for parent, (_, asked), selection in zip(parents, wanted, found, strict=True)
    ]


def _shown(
    parent: "Product", website: str | None, selection: Selection | Refused | None
) -> ProductSelection | Exception | None:
    if selection is None:
        return None
    if isinstance(selection, Refused):
        return BadUserInput(str(selection))
    return ProductSelection(
        product=parent,
        combination=nodes.on_website(nodes.show_optional(selection.combination), website),
        complete=selection.complete,
        code=selection.code,
        images=[Image.of(image) for image in selection.images],
        choices=[
            OptionChoice(
                name=option.name,
                values=[
                    OptionChoiceValue(name=v.name, selected=v.selected, exists=v.exists, orderable=v.orderable)
                    for v in values
                ],
            )
            for option, values in zip(parent.row.options, selection.values, strict=True)
        ],
        availability=availability.of(selection.showing, selection.choice),
    )
