"""Mutations of products, combinations and categories."""

from typing import Annotated

import strawberry

from gqlstock.graphql import reach
from gqlstock.graphql.context import Info
from gqlstock.graphql.relay import nodes
from gqlstock.graphql.schema import mutations
from gqlstock.graphql.schema.catalog.categories import Category
from gqlstock.graphql.schema.catalog.options import SelectedOptionInput
from gqlstock.graphql.schema.catalog.products import Combination, Product
from gqlstock.graphql.schema.mutations import ERRORS, DeletePayload
from gqlstock.graphql.schema.user_errors import UserError
from gqlstock.rules import catalog as rules
from gqlstock.rules.catalog import InventoryStatus, InventoryTracking
from gqlstock.rules.scopes import Scope
from gqlstock.services import catalog as services
from gqlstock.services import categories, combinations


@strawberry.input(description="A picture.")
class ImageInput:
    url: str = strawberry.field(description="Where it is.")
    alt: str | None = strawberry.field(default=None, description="What it shows, for those who cannot see it.")

    def image(self) -> rules.Image:
        return rules.Image(self.url, self.alt)


@strawberry.input(description="A value that an option can have.")
class ProductOptionValueInput:
    name: str = strawberry.field(description="Unique within the option.")
    images: list[ImageInput] | None = strawberry.field(default=None, description="Pictures shown once it is chosen.")
    renamed_from: str | None = strawberry.field(
        default=None, description="Its name so far, where this is a new name: combinations then follow."
    )

    def value(self) -> rules.OptionValue:
        return rules.OptionValue(self.name.strip(), tuple(i.image() for i in self.images or ()), self.renamed_from)


@strawberry.input(description="An option of a product.")
class ProductOptionInput:
    name: str = strawberry.field(description="Unique within the product.")
    inventory: bool = strawberry.field(default=True, description="Whether it is part of the combinations.")
    values: list[ProductOptionValueInput] = strawberry.field(description="What can be chosen.")
    renamed_from: str | None = strawberry.field(
        default=None, description="Its name so far, where this is a new name: combinations then follow."
    )

    existing: str | None = strawberry.field(
        default=None,
        description=(
            "The value of this new inventory option that combinations made before take: they keep their SKUs and stock. "
            "Required where the product has combinations and the option is new to them; otherwise it changes nothing. "
            "Always one of the values."
        ),
    )

    def option(self) -> rules.Option:
        return rules.Option(
            self.name.strip(),
            tuple(value.value() for value in self.values),
            self.inventory,
            self.renamed_from,
            self.existing.strip() if self.existing is not None else None,
        )


@strawberry.input(description="A new product.")
class CreateProductInput:
    sku: str = strawberry.field(description="Unique over products and combinations in use.")
    name: str = strawberry.field(description="For people.")
    barcode: str | None = strawberry.field(default=None, description="What scanners read.")
    slug: str | None = strawberry.field(default=None, description="Unique; made from the name when left out.")
    description: str | None = strawberry.field(default=None, description="What is said about it.")
    images: list[ImageInput] | None = strawberry.field(default=None, description="Its pictures.")
    category: str | None = strawberry.field(default=None, description="The category's slug.")
    tracking: InventoryTracking = strawberry.field(
        default=InventoryTracking.TRACK_WITHOUT_OPTIONS, description="How its stock is counted."
    )
    published: bool = strawberry.field(default=True, description="The merchant's own switch.")
    inventory_status: InventoryStatus = strawberry.field(
        default=InventoryStatus.IN_STOCK, description="The status set by hand."
    )
    shipping_origin: str | None = strawberry.field(
        default=None, description="The code of the warehouse that shipping rates are reckoned from."
    )
    options: list[ProductOptionInput] | None = strawberry.field(default=None, description="What shoppers can choose.")


@strawberry.input(description="Changes of a product: what is left out stays as it is, null empties it.")
class UpdateProductInput:
    sku: str = strawberry.field(description="Which product.")
    new_sku: str | None = strawberry.field(default=strawberry.UNSET, description="Its new SKU.")
    name: str | None = strawberry.field(default=strawberry.UNSET, description="For people.")
    barcode: str | None = strawberry.field(default=strawberry.UNSET, description="What scanners read.")
    slug: str | None = strawberry.field(default=strawberry.UNSET, description="Unique; null makes it from the name.")
    description: str | None = strawberry.field(default=strawberry.UNSET, description="What is said about it.")
    images: list[ImageInput] | None = strawberry.field(
        default=strawberry.UNSET, description="Its pictures, all of them."
    )
    category: str | None = strawberry.field(default=strawberry.UNSET, description="The category's slug.")
    tracking: InventoryTracking | None = strawberry.field(
        default=strawberry.UNSET, description="How its stock is counted."
    )
    published: bool | None = strawberry.field(default=strawberry.UNSET, description="The merchant's own switch.")
    inventory_status: InventoryStatus | None = strawberry.field(
        default=strawberry.UNSET, description="The status set by hand."
    )
    shipping_origin: str | None = strawberry.field(
        default=strawberry.UNSET, description="The code of the warehouse that shipping rates are reckoned from."
    )
    options: list[ProductOptionInput] | None = strawberry.field(
        default=strawberry.UNSET, description="What shoppers can choose, all of it."
    )


def _product(given: dict[str, object]) -> dict[str, object]:
    """A product's input as the services take it."""
    out = dict(given)
    for name, made in (("images", ImageInput.image), ("options", ProductOptionInput.option)):
        if isinstance(values := out.get(name), list):
            out[name] = [made(value) for value in values]
    return out


@strawberry.input(description="Which product to delete.")
class DeleteProductInput:
    sku: str = strawberry.field(description="Its SKU.")


@strawberry.input(description="A new combination.")
class CreateCombinationInput:
    product: str = strawberry.field(description="The product's SKU.")
    sku: str | None = strawberry.field(
        default=None, description="Unique; made from the product's SKU and the values when left out."
    )
    barcode: str | None = strawberry.field(default=None, description="What scanners read.")
    code: str | None = strawberry.field(default=None, description="Shown to shoppers; left out, the product's.")
    options: list[SelectedOptionInput] = strawberry.field(description="A value for each inventory option.")
    images: list[ImageInput] | None = strawberry.field(default=None, description="Left out, the product's are shown.")


@strawberry.input(description="Which product's combinations to make.")
class GenerateCombinationsInput:
    product: str = strawberry.field(description="The product's SKU.")


@strawberry.input(description="Changes of a combination: what is left out stays as it is, null empties it.")
class UpdateCombinationInput:
    sku: str = strawberry.field(description="Which combination.")
    new_sku: str | None = strawberry.field(default=strawberry.UNSET, description="Its new SKU.")
    barcode: str | None = strawberry.field(default=strawberry.UNSET, description="What scanners read.")
    code: str | None = strawberry.field(default=strawberry.UNSET, description="Shown to shoppers; null: the product's.")
    images: list[ImageInput] | None = strawberry.field(
        default=strawberry.UNSET, description="Its pictures, all of them; none: the product's."
    )


@strawberry.input(description="Which combination to delete.")
class DeleteCombinationInput:
    sku: str = strawberry.field(description="Its SKU.")


@strawberry.input(description="A new category.")
class CreateCategoryInput:
    slug: str = strawberry.field(description="Unique, such as garden-tools.")
    name: str = strawberry.field(description="For people.")
    parent: str | None = strawberry.field(default=None, description="The slug of the one above it.")


@strawberry.input(description="Changes of a category: what is left out stays as it is.")
class UpdateCategoryInput:
    slug: str = strawberry.field(description="Which category.")
    new_slug: str | None = strawberry.field(default=strawberry.UNSET, description="Its new slug.")
    name: str | None = strawberry.field(default=strawberry.UNSET, description="For people.")
    parent: str | None = strawberry.field(
        default=strawberry.UNSET, description="The slug of the one above it; null moves it to the top."
    )


@strawberry.input(description="Which category to delete.")
class DeleteCategoryInput:
    slug: str = strawberry.field(description="Its slug.")


@strawberry.input(description="A status set by hand.")
class SetInventoryStatusInput:
    sku: str = strawberry.field(description="The product's SKU.")
    status: InventoryStatus = strawberry.field(description="The status.")


@strawberry.type(description="A product that was made or changed.")
class ProductPayload:
    product: Product | None = strawberry.field(description="The product.")
    user_errors: list[UserError] = strawberry.field(description=ERRORS)


@strawberry.type(description="A combination that was made or changed.")
class CombinationPayload:
    combination: Combination | None = strawberry.field(description="The combination.")
    user_errors: list[UserError] = strawberry.field(description=ERRORS)


@strawberry.type(description="Combinations that were made.")
class CombinationsPayload:
    combinations: list[Combination] = strawberry.field(description="The new ones.")
    user_errors: list[UserError] = strawberry.field(description=ERRORS)


@strawberry.type(description="A category that was made or changed.")
class CategoryPayload:
    category: Category | None = strawberry.field(description="The category.")
    user_errors: list[UserError] = strawberry.field(description=ERRORS)


async def _product_payload(row_id: int) -> ProductPayload:
    return ProductPayload(product=await nodes.loaded("Product", row_id), user_errors=[])


async def _combination_payload(row_id: int) -> CombinationPayload:
    return CombinationPayload(combination=await nodes.loaded("Combination", row_id), user_errors=[])


async def _category_payload(row_id: int) -> CategoryPayload:
    return CategoryPayload(category=await nodes.loaded("Category", row_id), user_errors=[])


def _deleted(name: str, row_id: int) -> DeletePayload:
    return DeletePayload(deleted_id=nodes.global_id(name, row_id), user_errors=[])


INPUT = strawberry.argument(description="All of it is done, or none.")
WRITES = Scope.CATALOG_WRITE


@strawberry.type
class CatalogMutations:
    @mutations.field(description="Makes a product. Needs catalog:write.", payload=ProductPayload, scope=WRITES)
    async def create_product(self, info: Info, input: Annotated[CreateProductInput, INPUT]) -> ProductPayload:
        return await _product_payload(await services.create_product(_product(mutations.given(input))))

    @mutations.field(description="Changes a product. Needs catalog:write.", payload=ProductPayload, scope=WRITES)
    async def update_product(self, info: Info, input: Annotated[UpdateProductInput, INPUT]) -> ProductPayload:
        changes = _product(mutations.given(input))
        changes.pop("sku")
        return await _product_payload(await services.update_product(input.sku, changes))

    @mutations.field(
        description="Takes a product and its combinations out of use. Needs catalog:write.",
        payload=DeletePayload,
        scope=WRITES,
    )
    async def delete_product(self, info: Info, input: Annotated[DeleteProductInput, INPUT]) -> DeletePayload:
        return _deleted("Product", await services.delete_product(input.sku))

    @mutations.field(description="Makes a combination. Needs catalog:write.", payload=CombinationPayload, scope=WRITES)
    async def create_combination(
        self, info: Info, input: Annotated[CreateCombinationInput, INPUT]
    ) -> CombinationPayload:
        made = await combinations.create(
            input.product,
            [(option.name, option.value) for option in input.options],
            sku=input.sku,
            code=input.code,
            barcode=input.barcode,
            images=[image.image() for image in input.images or ()],
        )
        return await _combination_payload(made)

    @mutations.field(
        description="Makes every combination of the inventory options that does not exist yet. Needs catalog:write.",
        payload=CombinationsPayload,
        scope=WRITES,
    )
    async def generate_combinations(
        self, info: Info, input: Annotated[GenerateCombinationsInput, INPUT]
    ) -> CombinationsPayload:
        ids = await combinations.generate(input.product)
        return CombinationsPayload(combinations=await nodes.all_loaded("Combination", ids), user_errors=[])

    @mutations.field(
        description="Changes a combination. Needs catalog:write.", payload=CombinationPayload, scope=WRITES
    )
    async def update_combination(
        self, info: Info, input: Annotated[UpdateCombinationInput, INPUT]
    ) -> CombinationPayload:
        changes = _product(mutations.given(input))
        changes.pop("sku")
        return await _combination_payload(await combinations.update(input.sku, changes))

    @mutations.field(
        description="Takes a combination out of use. Needs catalog:write.", payload=DeletePayload, scope=WRITES
    )
    async def delete_combination(self, info: Info, input: Annotated[DeleteCombinationInput, INPUT]) -> DeletePayload:
        return _deleted("Combination", await combinations.delete(input.sku))

    @mutations.field(description="Makes a category. Needs catalog:write.", payload=CategoryPayload, scope=WRITES)
    async def create_category(self, info: Info, input: Annotated[CreateCategoryInput, INPUT]) -> CategoryPayload:
        return await _category_payload(await categories.create(input.slug, input.name, input.parent))

    @mutations.field(
        description="Changes or moves a category. Needs catalog:write.", payload=CategoryPayload, scope=WRITES
    )
    async def update_category(self, info: Info, input: Annotated[UpdateCategoryInput, INPUT]) -> CategoryPayload:
        changes = mutations.given(input)
        changes.pop("slug")
        return await _category_payload(await categories.update(input.slug, changes))

    @mutations.field(
        description="Removes a category without children and products. Needs catalog:write.",
        payload=DeletePayload,
        scope=WRITES,
    )
    async def delete_category(self, info: Info, input: Annotated[DeleteCategoryInput, INPUT]) -> DeletePayload:
        return _deleted("Category", await categories.delete(input.slug))

    @mutations.field(
        description=(
            "The status set by hand, from where stock is looked after. Needs inventory:write, for all warehouses."
        ),
        payload=ProductPayload,
        scope=Scope.INVENTORY_WRITE,
    )
    async def set_inventory_status(
        self, info: Info, input: Annotated[SetInventoryStatusInput, INPUT]
    ) -> ProductPayload:
        reach.require_all(info.context.caller, "The status of a product")
        return await _product_payload(await services.set_status(input.sku, input.status))
