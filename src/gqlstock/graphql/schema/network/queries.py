"""Warehouses, websites and organizations by code, and lists of them."""

from typing import Annotated

import strawberry

from gqlstock.graphql import access
from gqlstock.graphql.context import Info
from gqlstock.graphql.relay import nodes, paging
from gqlstock.graphql.relay.paging import After, Before, Connection, First, Last, Page
from gqlstock.graphql.schema.network.warehouses import Organization, Warehouse, Website
from gqlstock.rules.paging import OLDEST_FIRST
from gqlstock.rules.scopes import Scope
from gqlstock.services import list_network
from gqlstock.stock import network

CodeArg = Annotated[str, strawberry.argument(description="The code.")]
READS = Scope.INVENTORY_READ


@strawberry.type
class NetworkQueries:
    @access.field(description="A warehouse. Needs inventory:read.", scope=READS)
    async def warehouse(self, info: Info, code: CodeArg) -> Warehouse | None:
        return nodes.show_optional(await network.warehouse(code))  # type: ignore[no-any-return]

    @access.field(description="Warehouses, oldest first. Needs inventory:read.", scope=READS)
    async def warehouses(
        self, info: Info, first: First = None, after: After = None, last: Last = None, before: Before = None
    ) -> Connection[Warehouse] | None:
        page = Page.of(first, after, last, before)
        return await paging.connection(page, OLDEST_FIRST, list_network.warehouses(), nodes.show)

    @access.field(description="A website. Needs inventory:read.", scope=READS)
    async def website(self, info: Info, code: CodeArg) -> Website | None:
        return nodes.show_optional(await network.website(code))  # type: ignore[no-any-return]

    @access.field(description="Websites, oldest first. Needs inventory:read.", scope=READS)
    async def websites(
        self, info: Info, first: First = None, after: After = None, last: Last = None, before: Before = None
    ) -> Connection[Website] | None:
        page = Page.of(first, after, last, before)
        return await paging.connection(page, OLDEST_FIRST, list_network.websites(), nodes.show)

    @access.field(description="An organization. Needs inventory:read.", scope=READS)
    async def organization(self, info: Info, code: CodeArg) -> Organization | None:
        return nodes.show_optional(await network.organization(code))  # type: ignore[no-any-return]

    @access.field(description="Organizations, oldest first. Needs inventory:read.", scope=READS)
    async def organizations(
        self, info: Info, first: First = None, after: After = None, last: Last = None, before: Before = None
    ) -> Connection[Organization] | None:
        page = Page.of(first, after, last, before)
        return await paging.connection(page, OLDEST_FIRST, list_network.organizations(), nodes.show)
