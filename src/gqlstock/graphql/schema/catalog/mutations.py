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
    url: str = strawberry.field(description="Its URL.")
    alt: str | None = strawberry.field(default=None, description="Alternative text for screen readers.")

    def image(self) -> rules.Image:
        return rules.Image(self.url, self.alt)


@strawberry.input(description="A value of an option.")
class ProductOptionValueInput:
    name: str = strawberry.field(description="Unique within the option.")
    images: list[ImageInput] | None = strawberry.field(
        default=None, description="Pictures to show when the value is selected."
    )
    renamed_from: str | None = strawberry.field(
        default=None, description="The previous name, if this is a new one. Combinations follow the rename."
    )

    def value(self) -> rules.OptionValue:
        return rules.OptionValue(self.name.strip(), tuple(i.image() for i in self.images or ()), self.renamed_from)


@strawberry.input(description="An option of a product.")
class ProductOptionInput:
    name: str = strawberry.field(description="Unique within the product.")
    inventory: bool = strawberry.field(default=True, description="Whether combinations have a value of this option.")
    values: list[ProductOptionValueInput] = strawberry.field(description="The values to choose from.")
    renamed_from: str | None = strawberry.field(
        default=None, description="The previous name, if this is a new one. Combinations follow the rename."
    )

    existing: str | None = strawberry.field(
        default=None,
        description=(
            "The value of this new inventory option that existing combinations get. They keep their SKUs and stock. "
            "Required if the product has combinations and the option is new to them; otherwise without effect. "
            "Must be one of the values."
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
    sku: str = strawberry.field(description="Unique among all products and combinations in use.")
    name: str = strawberry.field(description="The display name.")
    barcode: str | None = strawberry.field(default=None, description="The barcode.")
    slug: str | None = strawberry.field(default=None, description="Unique. Default: derived from the name.")
    description: str | None = strawberry.field(default=None, description="The description.")
    images: list[ImageInput] | None = strawberry.field(default=None, description="Its pictures.")
    category: str | None = strawberry.field(default=None, description="The category's slug.")
    tracking: InventoryTracking = strawberry.field(
        default=InventoryTracking.TRACK_WITHOUT_OPTIONS, description="How its stock is counted."
    )
    published: bool = strawberry.field(default=True, description="Whether the shop shows the product.")
    inventory_status: InventoryStatus = strawberry.field(
        default=InventoryStatus.IN_STOCK, description="The manually set status."
    )
    shipping_origin: str | None = strawberry.field(
        default=None, description="The code of the warehouse from which shipping rates are calculated."
    )
    options: list[ProductOptionInput] | None = strawberry.field(
        default=None, description="The options that shoppers can choose."
    )


@strawberry.input(description="Changes of a product. Omitted fields stay unchanged, null clears them.")
class UpdateProductInput:
    sku: str = strawberry.field(description="The product's SKU.")
    new_sku: str | None = strawberry.field(default=strawberry.UNSET, description="Its new SKU.")
    name: str | None = strawberry.field(default=strawberry.UNSET, description="The display name.")
    barcode: str | None = strawberry.field(default=strawberry.UNSET, description="The barcode.")
    slug: str | None = strawberry.field(default=strawberry.UNSET, description="Unique. Null: derived from the name.")
    description: str | None = strawberry.field(default=strawberry.UNSET, description="The description.")
    images: list[ImageInput] | None = strawberry.field(
        default=strawberry.UNSET, description="All its pictures. Replaces the existing ones."
    )
    category: str | None = strawberry.field(default=strawberry.UNSET, description="The category's slug.")
    tracking: InventoryTracking | None = strawberry.field(
        default=strawberry.UNSET, description="How its stock is counted."
    )
    published: bool | None = strawberry.field(
        default=strawberry.UNSET, description="Whether the shop shows the product."
    )
    inventory_status: InventoryStatus | None = strawberry.field(
        default=strawberry.UNSET, description="The manually set status."
    )
    shipping_origin: str | None = strawberry.field(
        default=strawberry.UNSET, description="The code of the warehouse from which shipping rates are calculated."
    )
    options: list[ProductOptionInput] | None = strawberry.field(
        default=strawberry.UNSET, description="All options that shoppers can choose. Replaces the existing ones."
    )


def fields_of(given: dict[str, object]) -> dict[str, object]:
    """The fields of a product or combination input, as the services expect them."""
    out = dict(given)
    for name, made in (("images", ImageInput.image), ("options", ProductOptionInput.option)):
        if isinstance(values := out.get(name), list):
            out[name] = [made(value) for value in values]
    return out


@strawberry.input(description="A product to delete.")
class DeleteProductInput:
    sku: str = strawberry.field(description="Its SKU.")


@strawberry.input(description="A new combination.")
class CreateCombinationInput:
    product: str = strawberry.field(description="The product's SKU.")
    sku: str | None = strawberry.field(
        default=None, description="Unique. Default: derived from the product's SKU and the option values."
    )
    barcode: str | None = strawberry.field(default=None, description="The barcode.")
    code: str | None = strawberry.field(default=None, description="The code shown to shoppers. Default: the product's.")
    options: list[SelectedOptionInput] = strawberry.field(description="A value for each inventory option.")
    images: list[ImageInput] | None = strawberry.field(
        default=None, description="Its pictures. Default: the product's are shown."
    )


@strawberry.input(description="A product whose combinations are generated.")
class GenerateCombinationsInput:
    product: str = strawberry.field(description="The product's SKU.")


@strawberry.input(description="Changes of a combination. Omitted fields stay unchanged, null clears them.")
class UpdateCombinationInput:
    sku: str = strawberry.field(description="The combination's SKU.")
    new_sku: str | None = strawberry.field(default=strawberry.UNSET, description="Its new SKU.")
    barcode: str | None = strawberry.field(default=strawberry.UNSET, description="The barcode.")
    code: str | None = strawberry.field(
        default=strawberry.UNSET, description="The code shown to shoppers. Null: the product's."
    )
    images: list[ImageInput] | None = strawberry.field(
        default=strawberry.UNSET,
        description="All its pictures. Replaces the existing ones. An empty list: the product's are shown.",
    )


@strawberry.input(description="A combination to delete.")
class DeleteCombinationInput:
    sku: str = strawberry.field(description="Its SKU.")


@strawberry.input(description="A new category.")
class CreateCategoryInput:
    slug: str = strawberry.field(description="Unique, such as garden-tools.")
    name: str = strawberry.field(description="The display name.")
    parent: str | None = strawberry.field(
        default=None, description="The slug of the parent category. Default: none, at the top level."
    )


@strawberry.input(description="Changes of a category. Omitted fields stay unchanged.")
class UpdateCategoryInput:
    slug: str = strawberry.field(description="The category's slug.")
    new_slug: str | None = strawberry.field(default=strawberry.UNSET, description="Its new slug.")
    name: str | None = strawberry.field(default=strawberry.UNSET, description="The display name.")
    parent: str | None = strawberry.field(
        default=strawberry.UNSET, description="The slug of the parent category. Null moves it to the top level."
    )


@strawberry.input(description="A category to delete.")
class DeleteCategoryInput:
    slug: str = strawberry.field(description="Its slug.")


@strawberry.input(description="A status to set manually.")
class SetInventoryStatusInput:
    sku: str = strawberry.field(description="The product's SKU.")
    status: InventoryStatus = strawberry.field(description="The status.")


@strawberry.type(description="A product that was created or changed.")
class ProductPayload:
    product: Product | None = strawberry.field(description="The product.")
    user_errors: list[UserError] = strawberry.field(description=ERRORS)


@strawberry.type(description="A combination that was created or changed.")
class CombinationPayload:
    combination: Combination | None = strawberry.field(description="The combination.")
    user_errors: list[UserError] = strawberry.field(description=ERRORS)


@strawberry.type(description="Combinations that were created.")
class CombinationsPayload:
    combinations: list[Combination] = strawberry.field(description="The new combinations.")
    user_errors: list[UserError] = strawberry.field(description=ERRORS)


@strawberry.type(description="A category that was created or changed.")
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


INPUT = strawberry.argument(description="The input. It is applied completely or not at all.")
WRITES = Scope.CATALOG_WRITE


@strawberry.type
class CatalogMutations:
    @mutations.field(description="Creates a product. Needs catalog:write.", payload=ProductPayload, scope=WRITES)
    async def create_product(self, info: Info, input: Annotated[CreateProductInput, INPUT]) -> ProductPayload:
        return await _product_payload(await services.create_product(fields_of(mutations.given(input))))

    @mutations.field(description="Changes a product. Needs catalog:write.", payload=ProductPayload, scope=WRITES)
    async def update_product(self, info: Info, input: Annotated[UpdateProductInput, INPUT]) -> ProductPayload:
        changes = fields_of(mutations.given(input))
        changes.pop("sku")
        return await _product_payload(await services.update_product(input.sku, changes))

    @mutations.field(
        description="Deletes a product and its combinations. Needs catalog:write.",
        payload=DeletePayload,
        scope=WRITES,
    )
    async def delete_product(self, info: Info, input: Annotated[DeleteProductInput, INPUT]) -> DeletePayload:
        return _deleted("Product", await services.delete_product(input.sku))

    @mutations.field(
        description="Creates a combination. Needs catalog:write.", payload=CombinationPayload, scope=WRITES
    )
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
        description="Creates all missing combinations of the inventory options. Needs catalog:write.",
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
        changes = fields_of(mutations.given(input))
        changes.pop("sku")
        return await _combination_payload(await combinations.update(input.sku, changes))

    @mutations.field(description="Deletes a combination. Needs catalog:write.", payload=DeletePayload, scope=WRITES)
    async def delete_combination(self, info: Info, input: Annotated[DeleteCombinationInput, INPUT]) -> DeletePayload:
        return _deleted("Combination", await combinations.delete(input.sku))

    @mutations.field(description="Creates a category. Needs catalog:write.", payload=CategoryPayload, scope=WRITES)
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
        description="Deletes a category that has no children and no products. Needs catalog:write.",
        payload=DeletePayload,
        scope=WRITES,
    )
    async def delete_category(self, info: Info, input: Annotated[DeleteCategoryInput, INPUT]) -> DeletePayload:
        return _deleted("Category", await categories.delete(input.slug))

    @mutations.field(
        description=("Sets the status of a product manually. Needs inventory:write, for all warehouses."),
        payload=ProductPayload,
        scope=Scope.INVENTORY_WRITE,
    )
    async def set_inventory_status(
        self, info: Info, input: Annotated[SetInventoryStatusInput, INPUT]
    ) -> ProductPayload:
        reach.require_all(info.context.caller, "The status of a product")
        return await _product_payload(await services.set_status(input.sku, input.status))
