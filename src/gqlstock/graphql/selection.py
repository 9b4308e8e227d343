"""What a shop shows for the options that a shopper has chosen."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import strawberry

from gqlstock.graphql import availability, nodes
from gqlstock.graphql.availability import Availability, WebsiteArg, assortments
from gqlstock.graphql.context import Info
from gqlstock.graphql.errors import BadUserInput
from gqlstock.graphql.options import Image, OptionChoice, OptionChoiceValue, SelectedOptionInput
from gqlstock.rules import catalog as rules
from gqlstock.rules import choices, refusals
from gqlstock.rules.assortment import Assortment
from gqlstock.store import catalog as rows

if TYPE_CHECKING:
    from gqlstock.graphql.catalog import Combination, Product

OptionsArg = Annotated[
    list[SelectedOptionInput], strawberry.argument(description="What the shopper has chosen so far.")
]


@strawberry.type(description="What the shop shows once option values are chosen.")
class ProductSelection:
    product: Annotated["Product", strawberry.lazy("gqlstock.graphql.catalog")] = strawberry.field(
        description="The product."
    )
    combination: Annotated["Combination", strawberry.lazy("gqlstock.graphql.catalog")] | None = strawberry.field(
        description="The combination chosen, if there is one."
    )
    complete: bool = strawberry.field(description="False until every inventory option has a value.")
    code: str = strawberry.field(description="The code to show.")
    images: list[Image] = strawberry.field(description="The pictures to show.")
    choices: list[OptionChoice] = strawberry.field(
        description="Every option with its values, as the picker shows them."
    )
    availability: Availability | None = strawberry.field(description="What can be sold of the choice.")


async def of_products(
    parents: Sequence["Product"], info: Info, options: OptionsArg, website: WebsiteArg = None
) -> list[ProductSelection | Exception | None]:
    wanted = [(parent.row, website if website is not None else parent.website) for parent in parents]
    found = await assortments(wanted, info)
    # An assortment knows the combinations that are counted; the others show their pictures all the same.
    uncounted = await rows.combinations(
        [p.row.id for p in parents if p.options and not rules.counts_combinations(p.tracking)]
    )
    out: list[ProductSelection | Exception | None] = []
    for parent, (_, asked) in zip(parents, wanted, strict=True):
        try:
            made = uncounted.get(parent.row.id, [])
            out.append(_select(parent, asked, options, found[asked], made, info) if asked in found else None)
        except refusals.Refused as error:
            out.append(BadUserInput(str(error)))
    return out


def _select(
    parent: "Product",
    website: str | None,
    options: OptionsArg,
    assortment: Assortment,
    uncounted: Sequence[rules.Item],
    info: Info,
) -> ProductSelection:
    product = parent.row
    choice = rules.check_choice([(option.name, option.value) for option in options], product.options, "options")
    complete = rules.is_complete(choice, product.options)
    combination = None
    if complete and (chosen := rules.inventory_part(choice, product.options)):
        digest = rules.digest(chosen)
        known = [*assortment.combinations(product), *uncounted]
        combination = next((one for one in known if one.choice_digest == digest), None)
    by_options = rules.counts_combinations(product.tracking)
    item = combination if combination is not None and by_options else product
    assessment = assortment.assess(item, choice if item is product and by_options and complete else None)
    pictures = rules.pictures(product.options, choice, combination.images if combination else (), product.images)
    return ProductSelection(
        product=parent,
        combination=nodes.on_website(nodes.show_optional(combination), website),
        complete=complete,
        code=(item.own_code or product.sku),
        images=[Image.of(image) for image in pictures],
        choices=[
            OptionChoice(
                name=option.name,
                values=[
                    OptionChoiceValue(name=v.name, selected=v.selected, exists=v.exists, orderable=v.orderable)
                    for v in choices.values(product, option, choice, assortment)
                ],
            )
            for option in product.options
        ],
        availability=availability.shown(item, assessment, assortment, info),
    )
