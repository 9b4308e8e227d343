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


@strawberry.input(description="The alert to acknowledge.")
class AcknowledgeLowInventoryAlertInput:
    id: strawberry.ID = strawberry.field(description="The alert's id.")


@strawberry.type(description="An acknowledged alert.")
class LowInventoryAlertPayload:
    alert: LowInventoryAlert | None = strawberry.field(description="The alert.")
    user_errors: list[UserError] = strawberry.field(description=ERRORS)


INPUT = strawberry.argument(description="The input. It is applied completely or not at all.")
WRITES = Scope.INVENTORY_WRITE


@strawberry.type
class AlertMutations:
    @mutations.field(
        description="Acknowledges an alert. The first acknowledgement is kept. Needs inventory:write.",
        payload=LowInventoryAlertPayload,
        scope=WRITES,
    )
    async def acknowledge_low_inventory_alert(
        self, info: Info, input: Annotated[AcknowledgeLowInventoryAlertInput, INPUT]
    ) -> LowInventoryAlertPayload:
        alert_id = GivenId(nodes.row_id("LowInventoryAlert", input.id), input.id)
        found = await alert_services.acknowledge(info.context.caller, alert_id)
        return LowInventoryAlertPayload(alert=await nodes.loaded("LowInventoryAlert", found), user_errors=[])
