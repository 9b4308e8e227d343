"""Mutations of organizations, websites and warehouses."""

from typing import Annotated

import strawberry

from gqlstock.graphql.context import Info
from gqlstock.graphql.relay import nodes
from gqlstock.graphql.schema import mutations
from gqlstock.graphql.schema.mutations import ERRORS
from gqlstock.graphql.schema.network.warehouses import Organization, Warehouse, Website
from gqlstock.graphql.schema.user_errors import UserError
from gqlstock.rules.geo import Point
from gqlstock.rules.scopes import Scope
from gqlstock.services import warehouses as services
from gqlstock.services.warehouses import AssignedWarehouse


@strawberry.input(description="A warehouse that a website or organization sells from.")
class WebsiteWarehouseInput:
    warehouse: str = strawberry.field(description="The warehouse's code.")
    priority: int | None = strawberry.field(
        default=None, description="The lowest number is used first. Default: the position in the list."
    )


@strawberry.input(description="A postal address.")
class AddressInput:
    line1: str | None = strawberry.field(default=None, description="Street and number.")
    line2: str | None = strawberry.field(default=None, description="A second address line.")
    city: str | None = strawberry.field(default=None, description="City or town.")
    region: str | None = strawberry.field(default=None, description="State, province or county.")
    postal_code: str | None = strawberry.field(default=None, description="Postal code.")
    country: str | None = strawberry.field(default=None, description="Country.")


@strawberry.input(description="A geographic location, in degrees.")
class GeoPointInput:
    latitude: float = strawberry.field(description="-90 to 90.")
    longitude: float = strawberry.field(description="-180 to 180.")

    def point(self) -> Point:
        return Point(self.latitude, self.longitude)


_CODE = "The unique code."
_NAME = "The display name."
_SELLS_FROM = "All warehouses to sell from. Replaces the existing ones."


@strawberry.input(description="A new organization.")
class CreateOrganizationInput:
    code: str = strawberry.field(description=_CODE)
    name: str = strawberry.field(description=_NAME)
    warehouses: list[WebsiteWarehouseInput] | None = strawberry.field(default=None, description=_SELLS_FROM)


@strawberry.input(description="Changes of an organization. Omitted fields stay unchanged.")
class UpdateOrganizationInput:
    code: str = strawberry.field(description="The organization's code.")
    name: str | None = strawberry.field(default=strawberry.UNSET, description=_NAME)
    warehouses: list[WebsiteWarehouseInput] | None = strawberry.field(default=strawberry.UNSET, description=_SELLS_FROM)


@strawberry.input(description="A new website.")
class CreateWebsiteInput:
    code: str = strawberry.field(description=_CODE)
    name: str = strawberry.field(description=_NAME)
    organization: str | None = strawberry.field(
        default=None, description="The organization's code. Default: the organization `default`."
    )
    warehouses: list[WebsiteWarehouseInput] | None = strawberry.field(default=None, description=_SELLS_FROM)


@strawberry.input(description="Changes of a website. Omitted fields stay unchanged.")
class UpdateWebsiteInput:
    code: str = strawberry.field(description="The website's code.")
    name: str | None = strawberry.field(default=strawberry.UNSET, description=_NAME)
    organization: str | None = strawberry.field(default=strawberry.UNSET, description="The organization's code.")
    warehouses: list[WebsiteWarehouseInput] | None = strawberry.field(default=strawberry.UNSET, description=_SELLS_FROM)


@strawberry.input(description="A new warehouse.")
class CreateWarehouseInput:
    code: str = strawberry.field(description=_CODE)
    name: str = strawberry.field(description=_NAME)
    address: AddressInput | None = strawberry.field(default=None, description="The postal address.")
    location: GeoPointInput | None = strawberry.field(
        default=None, description="The location, for sourcing by distance."
    )
    active: bool = strawberry.field(
        default=True, description="An inactive warehouse keeps its levels but sells nothing."
    )


@strawberry.input(description="Changes of a warehouse. Omitted fields stay unchanged, null clears them.")
class UpdateWarehouseInput:
    code: str = strawberry.field(description="The warehouse's code.")
    name: str | None = strawberry.field(default=strawberry.UNSET, description=_NAME)
    address: AddressInput | None = strawberry.field(default=strawberry.UNSET, description="The postal address.")
    location: GeoPointInput | None = strawberry.field(
        default=strawberry.UNSET, description="The location, for sourcing by distance."
    )
    active: bool | None = strawberry.field(
        default=strawberry.UNSET, description="An inactive warehouse keeps its levels but sells nothing."
    )


@strawberry.type(description="An organization that was created or changed.")
class OrganizationPayload:
    organization: Organization | None = strawberry.field(description="The organization.")
    user_errors: list[UserError] = strawberry.field(description=ERRORS)


@strawberry.type(description="A website that was created or changed.")
class WebsitePayload:
    website: Website | None = strawberry.field(description="The website.")
    user_errors: list[UserError] = strawberry.field(description=ERRORS)


@strawberry.type(description="A warehouse that was created or changed.")
class WarehousePayload:
    warehouse: Warehouse | None = strawberry.field(description="The warehouse.")
    user_errors: list[UserError] = strawberry.field(description=ERRORS)


def _changes(input: object) -> dict[str, object]:
    """The changes in an input, without the code that identifies the object."""
    out = mutations.given(input)
    out.pop("code")
    if isinstance(assigned := out.get("warehouses"), list):
        out["warehouses"] = _assigned(assigned)
    if isinstance(address := out.get("address"), AddressInput):
        out["address"] = vars(address)
    if isinstance(location := out.get("location"), GeoPointInput):
        out["location"] = location.point()
    return out


def _assigned(given: list[WebsiteWarehouseInput] | None) -> list[AssignedWarehouse]:
    return [AssignedWarehouse(one.warehouse, one.priority) for one in given or ()]


INPUT = strawberry.argument(description="The input. It is applied completely or not at all.")
WRITES = Scope.SETTINGS_WRITE


@strawberry.type
class NetworkMutations:
    @mutations.field(
        description="Creates an organization. Needs settings:write.", payload=OrganizationPayload, scope=WRITES
    )
    async def create_organization(
        self, info: Info, input: Annotated[CreateOrganizationInput, INPUT]
    ) -> OrganizationPayload:
        made = await services.create_organization(input.code, input.name, _assigned(input.warehouses))
        return OrganizationPayload(organization=await nodes.loaded("Organization", made), user_errors=[])

    @mutations.field(
        description="Changes an organization. Needs settings:write.", payload=OrganizationPayload, scope=WRITES
    )
    async def update_organization(
        self, info: Info, input: Annotated[UpdateOrganizationInput, INPUT]
    ) -> OrganizationPayload:
        found = await services.update_organization(input.code, _changes(input))
        return OrganizationPayload(organization=await nodes.loaded("Organization", found), user_errors=[])

    @mutations.field(description="Creates a website. Needs settings:write.", payload=WebsitePayload, scope=WRITES)
    async def create_website(self, info: Info, input: Annotated[CreateWebsiteInput, INPUT]) -> WebsitePayload:
        made = await services.create_website(input.code, input.name, input.organization, _assigned(input.warehouses))
        return WebsitePayload(website=await nodes.loaded("Website", made), user_errors=[])

    @mutations.field(description="Changes a website. Needs settings:write.", payload=WebsitePayload, scope=WRITES)
    async def update_website(self, info: Info, input: Annotated[UpdateWebsiteInput, INPUT]) -> WebsitePayload:
        found = await services.update_website(input.code, _changes(input))
        return WebsitePayload(website=await nodes.loaded("Website", found), user_errors=[])

    @mutations.field(description="Creates a warehouse. Needs settings:write.", payload=WarehousePayload, scope=WRITES)
    async def create_warehouse(self, info: Info, input: Annotated[CreateWarehouseInput, INPUT]) -> WarehousePayload:
        made = await services.create_warehouse({"code": input.code, **_changes(input)})
        return WarehousePayload(warehouse=await nodes.loaded("Warehouse", made), user_errors=[])

    @mutations.field(description="Changes a warehouse. Needs settings:write.", payload=WarehousePayload, scope=WRITES)
    async def update_warehouse(self, info: Info, input: Annotated[UpdateWarehouseInput, INPUT]) -> WarehousePayload:
        found = await services.update_warehouse(input.code, _changes(input))
        return WarehousePayload(warehouse=await nodes.loaded("Warehouse", found), user_errors=[])
