"""Mutations of low-inventory alerts."""

from typing import Annotated

import strawberry

from gqlstock.graphql.context import Info
from gqlstock.graphql.relay import nodes
from gqlstock.graphql.schema import mutations
from gqlstock.graphql.schema.alerts.alerts import LowInventoryAlert
from gqlstock.graphql.schema.mutations import ERRORS
from gqlstock.graphql.schema.user_errors import UserError
from gqlstock.rules.given_ids import GivenId
from gqlstock.rules.scopes import Scope
from gqlstock.services import alerts as alert_services


@strawberry.input(description="Which alert to take on.")
class AcknowledgeLowInventoryAlertInput:
    id: strawberry.ID = strawberry.field(description="The alert's id.")


@strawberry.type(description="An alert that somebody took on.")
class LowInventoryAlertPayload:
    alert: LowInventoryAlert | None = strawberry.field(description="The alert.")
    user_errors: list[UserError] = strawberry.field(description=ERRORS)


INPUT = strawberry.argument(description="All of it is done, or none.")
WRITES = Scope.INVENTORY_WRITE


@strawberry.type
class AlertMutations:
    @mutations.field(
        description="Says who takes an alert on; the first one stays. Needs inventory:write.",
        payload=LowInventoryAlertPayload,
        scope=WRITES,
    )
    async def acknowledge_low_inventory_alert(
        self, info: Info, input: Annotated[AcknowledgeLowInventoryAlertInput, INPUT]
    ) -> LowInventoryAlertPayload:
        alert_id = GivenId(nodes.row_id("LowInventoryAlert", input.id), input.id)
        found = await alert_services.acknowledge(info.context.caller, alert_id)
        return LowInventoryAlertPayload(alert=await nodes.loaded("LowInventoryAlert", found), user_errors=[])
