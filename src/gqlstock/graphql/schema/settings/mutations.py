"""Mutations of settings."""

from typing import Annotated

import strawberry

from gqlstock.graphql import outcomes
from gqlstock.graphql.context import Info
from gqlstock.graphql.schema import mutations
from gqlstock.graphql.schema.mutations import ERRORS
from gqlstock.graphql.schema.settings.settings import InventorySettingsInput, ScopedSettings, SettingScopeInput
from gqlstock.graphql.schema.user_errors import UserError
from gqlstock.rules.scopes import Scope
from gqlstock.services import settings as setting_services


@strawberry.input(description="Settings of one place.")
class SetInventorySettingsInput:
    scope: SettingScopeInput = strawberry.field(description="The place.")
    settings: InventorySettingsInput = strawberry.field(description="The values. Null removes a value.")


@strawberry.type(description="Settings that were changed.")
class SettingsPayload:
    settings: ScopedSettings | None = strawberry.field(description="The current settings of the place.")
    user_errors: list[UserError] = strawberry.field(description=ERRORS)


INPUT = strawberry.argument(description="The input. It is applied completely or not at all.")
WRITES = Scope.SETTINGS_WRITE


@strawberry.type
class SettingsMutations:
    @mutations.field(
        description="Sets values at one place. Needs settings:write.", payload=SettingsPayload, scope=WRITES
    )
    async def set_inventory_settings(
        self, info: Info, input: Annotated[SetInventorySettingsInput, INPUT]
    ) -> SettingsPayload:
        target = input.scope.target()
        await setting_services.change(target, input.settings.given())
        # Reading the answer may fail.
        outcomes.committed()
        return SettingsPayload(settings=ScopedSettings.of(await setting_services.at(target)), user_errors=[])
