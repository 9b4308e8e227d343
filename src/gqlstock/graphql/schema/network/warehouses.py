"""Organizations, websites and warehouses in the schema."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import strawberry

from gqlstock.graphql.context import Info
from gqlstock.graphql.relay import batch, nodes
from gqlstock.graphql.relay.nodes import Node
from gqlstock.graphql.relay.paging import Connection
from gqlstock.graphql.schema.stock import level_lists
from gqlstock.rules import network
from gqlstock.rules.scopes import Scope
from gqlstock.stock import network as rows
from gqlstock.stock import present

if TYPE_CHECKING:
    from gqlstock.graphql.schema.stock.levels import InventoryLevel


@strawberry.type(description="A postal address.")
class Address:
    line1: str | None = strawberry.field(description="Street and number.")
    line2: str | None = strawberry.field(description="A second address line.")
    city: str | None = strawberry.field(description="City or town.")
    region: str | None = strawberry.field(description="State, province or county.")
    postal_code: str | None = strawberry.field(description="Postal code.")
    country: str | None = strawberry.field(description="Country.")


@strawberry.type(description="A geographic location, in degrees.")
class GeoPoint:
    latitude: float = strawberry.field(description="-90 to 90.")
    longitude: float = strawberry.field(description="-180 to 180.")


_NETWORK = (Scope.INVENTORY_READ, Scope.SETTINGS_WRITE)
"""The scopes for seeing which websites sell from which warehouses. A website itself may be part of public answers."""
_EMPTY = "Empty without inventory:read or settings:write."


async def _websites_of_organization(parents: Sequence["Organization"], info: Info) -> list[list["Website"]]:
    found = await rows.websites_of([parent.row.id for parent in parents])
    return [[Website.of(row) for row in found[parent.row.id]] for parent in parents]


async def _warehouses_of_organization(parents: Sequence["Organization"], info: Info) -> list[list["WebsiteWarehouse"]]:
    found = await rows.assignments_of_organizations([parent.row.id for parent in parents])
    return [[WebsiteWarehouse.of(row) for row in found[parent.row.id]] for parent in parents]


async def _warehouses_of_website(parents: Sequence["Website"], info: Info) -> list[list["WebsiteWarehouse"]]:
    ids = [parent.row.id for parent in parents]
    own = await rows.assignments_of_websites(ids)
    inherited = await rows.assignments_of_organizations({parent.row.organization_id for parent in parents})
    return [
        [
            WebsiteWarehouse.of(row)
            for row in network.selling_warehouses(own[parent.row.id], inherited[parent.row.organization_id])
        ]
        for parent in parents
    ]


async def _websites_of_warehouse(parents: Sequence["Warehouse"], info: Info) -> list[list["Website"]]:
    channels = (await present.network()).channels
    found = await rows.websites({channel.id for channel in channels})
    return [
        [Website.of(found[channel.id]) for channel in channels if channel.sells_from([parent.row.id])]
        for parent in parents
    ]


@strawberry.type(
    description="A merchant with websites. Websites without warehouses of their own use the organization's."
)
class Organization(Node):
    row: strawberry.Private[network.Organization]
    code: str = strawberry.field(description="Unique, such as default.")
    name: str = strawberry.field(description="The display name.")
    websites: list["Website"] = batch.seen_list(
        _websites_of_organization, description=f"Its websites. {_EMPTY}", scopes=_NETWORK
    )
    warehouses: list["WebsiteWarehouse"] = batch.seen_list(
        _warehouses_of_organization,
        description=f"The warehouses for websites without warehouses of their own, by priority. {_EMPTY}",
        scopes=_NETWORK,
    )

    @classmethod
    def of(cls, row: network.Organization) -> "Organization":
        return cls(row=row, id=nodes.global_id("Organization", row.id), code=row.code, name=row.name)


@strawberry.type(description="A sales channel.")
class Website(Node):
    row: strawberry.Private[network.Website]
    code: str = strawberry.field(description="Unique, such as shop.")
    name: str = strawberry.field(description="The display name.")
    organization: Organization = batch.field(
        nodes.by_id(rows.organizations, "organization_id"), description="The organization that owns it."
    )
    warehouses: list["WebsiteWarehouse"] = batch.seen_list(
        _warehouses_of_website,
        description=f"The warehouses that it sells from, by priority. {_EMPTY}",
        scopes=_NETWORK,
    )

    @classmethod
    def of(cls, row: network.Website) -> "Website":
        return cls(row=row, id=nodes.global_id("Website", row.id), code=row.code, name=row.name)


@strawberry.type(description="A warehouse that is sold from, with its priority.")
class WebsiteWarehouse:
    row: strawberry.Private[network.Assignment]
    priority: int = strawberry.field(
        description="The lowest number is used first. Of equal ones, the older warehouse is used first."
    )
    warehouse: "Warehouse" = batch.field(nodes.by_id(rows.warehouses, "warehouse_id"), description="The warehouse.")

    @classmethod
    def of(cls, row: network.Assignment) -> "WebsiteWarehouse":
        return cls(row=row, priority=row.priority)


@strawberry.type(description="A place where stock is kept.")
class Warehouse(Node):
    row: strawberry.Private[network.Warehouse]
    code: str = strawberry.field(description="Unique, such as BERLIN.")
    name: str = strawberry.field(description="The display name.")
    address: Address | None = strawberry.field(description="The postal address.")
    location: GeoPoint | None = strawberry.field(description="The location, for sourcing by distance.")
    active: bool = strawberry.field(
        description="Whether it sells. An inactive warehouse keeps its levels but sells nothing."
    )
    websites: list[Website] = batch.seen_list(
        _websites_of_warehouse, description=f"The websites that sell from it. {_EMPTY}", scopes=_NETWORK
    )
    inventory_levels: (
        Connection[Annotated["InventoryLevel", strawberry.lazy("gqlstock.graphql.schema.stock.levels")]] | None
    ) = batch.field(level_lists.in_warehouses, description="The levels in the warehouse.", scope=Scope.INVENTORY_READ)

    @classmethod
    def of(cls, row: network.Warehouse) -> "Warehouse":
        location = row.location
        return cls(
            row=row,
            id=nodes.global_id("Warehouse", row.id),
            code=row.code,
            name=row.name,
            address=Address(**row.address) if row.address is not None else None,
            location=GeoPoint(latitude=location.latitude, longitude=location.longitude) if location else None,
            active=row.active,
        )


nodes.register(network.Organization, "Organization", Organization.of, rows.organizations, Scope.INVENTORY_READ)
nodes.register(network.Website, "Website", Website.of, rows.websites, Scope.INVENTORY_READ)
nodes.register(network.Warehouse, "Warehouse", Warehouse.of, rows.warehouses, Scope.INVENTORY_READ)
