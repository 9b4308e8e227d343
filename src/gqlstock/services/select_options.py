"""What a website shows of a product for chosen option values."""

from collections.abc import Sequence
from dataclasses import dataclass

from gqlstock.rules import catalog as rules
from gqlstock.rules import choices
from gqlstock.rules.assortment import Assortment
from gqlstock.rules.catalog import Image, Item
from gqlstock.rules.choices import ChoiceValue
from gqlstock.rules.refusals import Refused
from gqlstock.rules.scopes import Caller
from gqlstock.services import assortments
from gqlstock.services.assortments import Wanted
from gqlstock.services.availability import Showing
from gqlstock.stock import present


@dataclass(frozen=True, slots=True)
class Selection:
    """``combination``: the chosen one, if it exists. ``values``: the values of each option, in order.

    ``choice``: a digest of the chosen options if they match neither a combination nor the product itself.
    """

    combination: Item | None
    complete: bool
    code: str
    images: Sequence[Image]
    values: Sequence[Sequence[ChoiceValue]]
    showing: Showing
    choice: str | None = None


async def select(
    wanted: Sequence[Wanted], chosen: Sequence[tuple[str, str]], caller: Caller
) -> list[Selection | Refused | None]:
    """The selection of each product; None while no website exists, a refusal for unknown option values."""
    found = await assortments.assortments(wanted)
    # An assortment has only counted combinations; uncounted ones have pictures to show as well.
    uncounted = await present.combinations(
        [product.id for product, _ in wanted if product.options and not rules.counts_combinations(product.tracking)]
    )
    out: list[Selection | Refused | None] = []
    for product, website in wanted:
        try:
            here = found.get(website)
            made = uncounted.get(product.id, [])
            out.append(None if here is None else _select(product, chosen, here, made, caller))
        except Refused as error:
            out.append(error)
    return out


def _select(
    product: Item, chosen: Sequence[tuple[str, str]], here: Assortment, uncounted: Sequence[Item], caller: Caller
) -> Selection:
    choice = rules.check_choice(chosen, product.options, "options")
    complete = rules.is_complete(choice, product.options)
    combination = _combination(product, choice, [*here.combinations(product), *uncounted]) if complete else None
    by_options = rules.counts_combinations(product.tracking)
    item = combination if combination is not None and by_options else product
    of_choice = choice if item is product and by_options and complete else None
    assessment = here.assess(item, of_choice)
    return Selection(
        combination,
        complete,
        item.own_code or product.sku,
        rules.pictures(product.options, choice, combination.images if combination else (), product.images),
        [choices.values(product, option, choice, here) for option in product.options],
        assortments.shown(item, assessment, here, caller),
        rules.digest(of_choice) if of_choice is not None else None,
    )


def _combination(product: Item, choice: rules.Choice, known: Sequence[Item]) -> Item | None:
    wanted = rules.inventory_part(choice, product.options)
    if not wanted:
        return None
    digest = rules.digest(wanted)
    return next((one for one in known if one.choice_digest == digest), None)
