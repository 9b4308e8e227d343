"""Lists of low-inventory alerts."""

import strawberry

from gqlstock.graphql import access
from gqlstock.graphql.context import Info
from gqlstock.graphql.relay import nodes, paging
from gqlstock.graphql.relay.paging import After, Before, Connection, First, Last, Page
from gqlstock.graphql.schema.alerts import alerts
from gqlstock.graphql.schema.alerts.alerts import LowInventoryAlert
from gqlstock.graphql.schema.filters import chosen
from gqlstock.rules.filters import AlertFilter
from gqlstock.rules.paging import NEWEST_FIRST
from gqlstock.rules.scopes import Scope
from gqlstock.services import list_alerts

READS = Scope.INVENTORY_READ


@strawberry.type
class AlertQueries:
    @access.field(description="Low-inventory alerts, newest first. Needs inventory:read.", scope=READS)
    async def low_inventory_alerts(
        self,
        info: Info,
        filter: alerts.FilterArg = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[LowInventoryAlert] | None:
        page = Page.of(first, after, last, before)
        found = await list_alerts.matching(chosen(filter, AlertFilter), info.context.caller)
        return await paging.connection(page, NEWEST_FIRST, found, nodes.show)
