"""The settings of one place."""

from typing import Annotated

import strawberry

from gqlstock.graphql import access
from gqlstock.graphql.context import Info
from gqlstock.graphql.schema.settings.settings import ScopedSettings, SettingScopeInput
from gqlstock.rules.scopes import Scope
from gqlstock.services import settings as setting_services

READS = Scope.INVENTORY_READ


@strawberry.type
class SettingsQueries:
    @access.field(
        description="The own values, effective values and their origins at one place. Needs inventory:read.",
        scope=READS,
    )
    async def inventory_settings(
        self, info: Info, scope: Annotated[SettingScopeInput, strawberry.argument(description="The place.")]
    ) -> ScopedSettings | None:
        return ScopedSettings.of(await setting_services.at(scope.target()))
