"""Settings in the schema. Types and input are derived from the table in ``rules.settings``."""

from dataclasses import fields
from types import UnionType
from typing import Any, get_args, get_origin

import strawberry

from gqlstock.graphql.schema.scalars import JSON
from gqlstock.rules import settings as rules
from gqlstock.rules.fallback import Origin
from gqlstock.rules.settings import Settings, SettingScope
from gqlstock.services import settings as services


def _shown(kind: Any) -> Any:
    """The GraphQL type of a setting: lists for the rules' tuples."""
    if isinstance(kind, UnionType):
        return _shown(next(a for a in get_args(kind) if a is not type(None))) | None
    return list[get_args(kind)[0]] if get_origin(kind) is tuple else kind  # type: ignore[misc]


_TYPES = {f.name: _shown(f.type) for f in fields(Settings)}
_DESCRIPTIONS: dict[str, str] = {f.name: f.metadata["description"] for f in fields(Settings)}


@strawberry.type(description="The effective settings, after the fallback.")
class InventorySettings:
    __annotations__ = _TYPES
    vars().update({name: strawberry.field(description=told) for name, told in _DESCRIPTIONS.items()})

    @classmethod
    def of(cls, settings: Settings) -> "InventorySettings":
        values = {name: getattr(settings, name) for name in rules.NAMES}
        return cls(**{name: list(v) if isinstance(v, tuple) else v for name, v in values.items()})


@strawberry.input(
    description="The settings of one place. Omitted fields stay unchanged. Null removes the own value; the fallback applies."
)
class InventorySettingsInput:
    __annotations__ = {name: kind | None for name, kind in _TYPES.items()}
    vars().update(
        {name: strawberry.field(default=strawberry.UNSET, description=told) for name, told in _DESCRIPTIONS.items()}
    )

    def given(self) -> dict[str, Any]:
        """The given values by setting name. None removes a value."""
        values = {name: getattr(self, name) for name in rules.NAMES}
        return {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in values.items()
            if value is not strawberry.UNSET
        }


@strawberry.type(description="The origin of the effective value of a setting.")
class SettingOrigin:
    setting: str = strawberry.field(description="The field's name in InventorySettings.")
    scope: SettingScope = strawberry.field(description="The kind of place that set the value.")
    owner: str | None = strawberry.field(
        description="sku@warehouse, sku, category slug, website code or organization code. Null for SYSTEM and DEFAULT."
    )
    value: JSON | None = strawberry.field(description="The value.")

    @classmethod
    def of(cls, origin: Origin) -> "SettingOrigin":
        return cls(
            setting=rules.camel(origin.setting), scope=origin.scope, owner=origin.owner, value=rules.wire(origin.value)
        )


@strawberry.input(description="One level, by the item's SKU and the warehouse's code.")
class LevelKeyInput:
    sku: str = strawberry.field(description="The item's SKU.")
    warehouse: str = strawberry.field(description="The warehouse's code.")


@strawberry.input(description="A place where settings can be set. Give exactly one field.", one_of=True)
class SettingScopeInput:
    system: bool | None = strawberry.field(default=strawberry.UNSET, description="The whole installation: true.")
    organization: str | None = strawberry.field(default=strawberry.UNSET, description="The organization's code.")
    website: str | None = strawberry.field(default=strawberry.UNSET, description="The website's code.")
    category: str | None = strawberry.field(default=strawberry.UNSET, description="The category's slug.")
    product: str | None = strawberry.field(default=strawberry.UNSET, description="The product's SKU.")
    combination: str | None = strawberry.field(default=strawberry.UNSET, description="The combination's SKU.")
    level: LevelKeyInput | None = strawberry.field(default=strawberry.UNSET, description="One item in one warehouse.")

    def target(self) -> services.SettingTarget:
        name, value = next((n, v) for n, v in vars(self).items() if v is not strawberry.UNSET)
        return services.target_of({name: vars(value) if isinstance(value, LevelKeyInput) else value})


@strawberry.type(description="The settings of one place: own and effective values.")
class ScopedSettings:
    scope: SettingScope = strawberry.field(description="The kind of place.")
    owner: str | None = strawberry.field(description="The place, as in SettingOrigin.owner.")
    own: JSON = strawberry.field(description="The values set at this place, by field name.")
    effective: InventorySettings = strawberry.field(description="The effective values at this place.")
    origins: list[SettingOrigin] = strawberry.field(description="The origin of each effective setting.")

    @classmethod
    def of(cls, scoped: services.PlaceSettings) -> "ScopedSettings":
        return cls(
            scope=scoped.scope,
            owner=scoped.owner,
            own=JSON({rules.camel(name): rules.wire(value) for name, value in scoped.own.items()}),
            effective=InventorySettings.of(scoped.effective),
            origins=[SettingOrigin.of(origin) for origin in scoped.origins],
        )
