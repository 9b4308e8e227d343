"""The mutation that creates and changes many products, for integrations such as an ERP."""

from typing import Annotated

import strawberry

from gqlstock.graphql import access
from gqlstock.graphql.context import Info
from gqlstock.graphql.relay import nodes
from gqlstock.graphql.schema import mutations
from gqlstock.graphql.schema.catalog.mutations import ImageInput, ProductOptionInput, fields_of
from gqlstock.graphql.schema.catalog.options import SelectedOptionInput
from gqlstock.graphql.schema.catalog.products import Product
from gqlstock.graphql.schema.settings.settings import InventorySettingsInput
from gqlstock.graphql.schema.user_errors import UserError, user_error
from gqlstock.rules.catalog import InventoryStatus, InventoryTracking
from gqlstock.rules.product_upsert import CombinationRow, ProductRow, UpsertRequest
from gqlstock.rules.scopes import Scope
from gqlstock.services import upsert_products


@strawberry.input(
    description="A combination to create, or to change if its SKU exists. Omitted fields stay unchanged, null clears them."
)
class UpsertCombinationInput:
    sku: str = strawberry.field(description="Its SKU. Must not belong to another product or its combinations.")
    barcode: str | None = strawberry.field(default=strawberry.UNSET, description="The barcode.")
    code: str | None = strawberry.field(
        default=strawberry.UNSET, description="The code shown to shoppers. Null: the product's SKU."
    )
    options: list[SelectedOptionInput] = strawberry.field(
        description="One value for each inventory option. An existing combination keeps its values; others are refused."
    )
    images: list[ImageInput] | None = strawberry.field(
        default=strawberry.UNSET, description="All its pictures. Without any, the product's are shown."
    )
    settings: InventorySettingsInput | None = strawberry.field(
        default=strawberry.UNSET, description="Settings of the combination itself. Needs settings:write."
    )

    def row(self) -> CombinationRow:
        options = tuple((option.name, option.value) for option in self.options)
        fields = _fields(self, "sku", "options", "settings")
        return CombinationRow(self.sku, options, fields, _settings(self.settings))


@strawberry.input(
    description=(
        "A product to create, or to change if its SKU exists. Omitted fields stay unchanged, null clears them."
    )
)
class UpsertProductInput:
    sku: str = strawberry.field(description="Its SKU. Must not belong to a combination.")
    name: str | None = strawberry.field(
        default=strawberry.UNSET, description="The display name. Required for a new product; null keeps it."
    )
    barcode: str | None = strawberry.field(default=strawberry.UNSET, description="The barcode.")
    slug: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="Unique. Null, or omitted for a new product: derived from the name.",
    )
    description: str | None = strawberry.field(default=strawberry.UNSET, description="The description.")
    images: list[ImageInput] | None = strawberry.field(
        default=strawberry.UNSET, description="All its pictures. Replaces the existing ones."
    )
    category: str | None = strawberry.field(default=strawberry.UNSET, description="The category's slug.")
    tracking: InventoryTracking | None = strawberry.field(
        default=strawberry.UNSET,
        description=(
            "How its stock is counted. Required for a new product with combinations; for others, the default is "
            "TRACK_WITHOUT_OPTIONS. Null keeps it."
        ),
    )
    published: bool | None = strawberry.field(
        default=strawberry.UNSET, description="Whether the shop shows the product. Default for a new product: true."
    )
    inventory_status: InventoryStatus | None = strawberry.field(
        default=strawberry.UNSET, description="The manually set status. Default for a new product: IN_STOCK."
    )
    shipping_origin: str | None = strawberry.field(
        default=strawberry.UNSET, description="The code of the warehouse from which shipping rates are calculated."
    )
    options: list[ProductOptionInput] | None = strawberry.field(
        default=strawberry.UNSET,
        description=(
            "All its options. Replaces the existing ones; unused combinations that no longer fit are deleted."
        ),
    )
    combinations: list[UpsertCombinationInput] | None = strawberry.field(
        default=strawberry.UNSET, description="Combinations to create or change. All others stay as they are."
    )
    settings: InventorySettingsInput | None = strawberry.field(
        default=strawberry.UNSET, description="Settings of the product itself. Needs settings:write."
    )

    def row(self) -> ProductRow:
        fields = _fields(self, "sku", "combinations", "settings")
        combinations = tuple(one.row() for one in self.combinations or ())
        return ProductRow(self.sku, fields, combinations, _settings(self.settings))


@strawberry.input(description="Products to create or change.")
class UpsertProductsInput:
    idempotency_key: str | None = strawberry.field(default=None, description=mutations.KEY)
    partial: bool = strawberry.field(
        default=False,
        description=(
            "Write the valid products and report the others in userErrors. Nothing of an invalid product is written. The "
            "answer is stored under its key."
        ),
    )
    products: list[UpsertProductInput] = strawberry.field(
        description="1 to 250 products, with at most 2,000 combinations in total. Each SKU occurs once."
    )


@strawberry.type(description="The result of creating or changing products.")
class ProductsPayload:
    products: list[Product] = strawberry.field(
        description="The valid products in the order of the input, including unchanged ones."
    )
    user_errors: list[UserError] = strawberry.field(
        description="Why nothing was written or, with partial, why some products were not. Empty if all were."
    )


def _fields(given: UpsertProductInput | UpsertCombinationInput, *excluded: str) -> dict[str, object]:
    """The given fields, except some."""
    return fields_of({name: value for name, value in mutations.given(given).items() if name not in excluded})


def _settings(given: InventorySettingsInput | None) -> dict[str, object]:
    return given.given() if isinstance(given, InventorySettingsInput) else {}


@strawberry.type
class UpsertMutations:
    @mutations.field(
        description=(
            "Creates products and combinations whose SKUs do not exist, and changes the others: at most 250 products with "
            "2,000 combinations. Unchanged rows are not written. Needs catalog:write and, if settings are given, "
            "settings:write."
        ),
        payload=ProductsPayload,
        scope=Scope.CATALOG_WRITE,
    )
    async def upsert_products(
        self,
        info: Info,
        input: Annotated[
            UpsertProductsInput,
            strawberry.argument(
                description="The input. It is applied completely or not at all, unless partial is set."
            ),
        ],
    ) -> ProductsPayload:
        request = UpsertRequest(tuple(product.row() for product in input.products), input.partial)
        if request.has_settings:
            access.require(info.context.caller, Scope.SETTINGS_WRITE)
        done = await upsert_products.upsert(info.context.caller, request, input.idempotency_key)
        return ProductsPayload(
            products=await nodes.all_loaded("Product", done.ids["products"]),
            user_errors=[user_error(refusal) for refusal in done.refusals],
        )
