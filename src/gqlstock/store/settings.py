"""Where settings are kept: one row for each place that has values of its own."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from tortoise import fields
from tortoise.expressions import Q, Subquery
from tortoise.models import Model

from gqlstock.rules import settings
from gqlstock.rules.events import ANY_SETTING
from gqlstock.rules.settings import Place, Settings, SettingScope
from gqlstock.store import catalog, database, outbox
from gqlstock.store.catalog import Item
from gqlstock.store.inventory import InventoryLevel
from gqlstock.store.warehouses import Channel

SYSTEM_OWNER = 0
# PostgreSQL takes 32,767 values with one statement; each item is two of them.
_ASKED_AT_ONCE = 10_000

Key = tuple[SettingScope, int]


class Override(Model):
    """The values set at one place. ``owner_id`` is the id of the level, item, category, … that the place is."""

    id = fields.BigIntField(primary_key=True)
    scope = fields.CharEnumField(SettingScope, max_length=20)
    owner_id = fields.BigIntField()
    values_set: fields.Field[dict[str, Any]] = fields.JSONField(default=dict)
    updated_at = fields.DatetimeField(auto_now=True)

    class Meta:
        table = "setting_override"
        unique_together = (("scope", "owner_id"),)

    @property
    def own(self) -> dict[str, Any]:
        """The values set here, by the setting's name."""
        stored = self.values_set.items()
        return {name: settings.from_stored(name, value) for name, value in stored if name in settings.NAMES}


class Book:
    """What was set at the places that some items look up; made for one question, it works out each chain once."""

    def __init__(self, values: Mapping[Key, dict[str, Any]], chains: Mapping[int, Sequence[tuple[int, str]]]) -> None:
        self._values = values
        self._chains = chains
        self._resolved: dict[tuple[Key, ...], Settings] = {}

    def places(
        self,
        product: Item | None,
        channel: Channel | None,
        *,
        combination: Item | None = None,
        level: tuple[int, str] | None = None,
        category_id: int | None = None,
    ) -> list[Place]:
        """The places with values of their own that an item looks up, strongest first; ``level`` is its id and name."""
        return [
            Place(key[0], owner, self._values[key])
            for key, owner in self._chain(product, channel, combination, level, category_id)
            if key in self._values
        ]

    def settings(
        self,
        product: Item | None,
        channel: Channel | None,
        *,
        combination: Item | None = None,
        level: tuple[int, str] | None = None,
        category_id: int | None = None,
    ) -> Settings:
        """The settings in effect there."""
        chain = self._chain(product, channel, combination, level, category_id)
        known = tuple(key for key, _ in chain if key in self._values)
        if known not in self._resolved:
            self._resolved[known] = settings.resolve(Place(key[0], None, self._values[key]) for key in known)
        return self._resolved[known]

    def own(self, scope: SettingScope, owner_id: int) -> dict[str, Any]:
        """The values set at one place."""
        return self._values.get((scope, owner_id), {})

    def _chain(
        self,
        product: Item | None,
        channel: Channel | None,
        combination: Item | None,
        level: tuple[int, str] | None,
        category_id: int | None,
    ) -> list[tuple[Key, str | None]]:
        chain: list[tuple[Key, str | None]] = []
        if level is not None:
            chain.append(((SettingScope.LEVEL, level[0]), level[1]))
        if combination is not None:
            chain.append(((SettingScope.COMBINATION, combination.id), combination.sku))
        if product is not None:
            chain.append(((SettingScope.PRODUCT, product.id), product.sku))
            category_id = product.category_id
        if category_id is not None:
            chain += [((SettingScope.CATEGORY, one), slug) for one, slug in self._chains.get(category_id, ())]
        if channel is not None:
            chain.append(((SettingScope.WEBSITE, channel.id), channel.code))
            chain.append(((SettingScope.ORGANIZATION, channel.organization_id), channel.organization))
        chain.append(((SettingScope.SYSTEM, SYSTEM_OWNER), None))
        return chain


async def book(items: Iterable[Item] = (), category_ids: Iterable[int] = ()) -> Book:
    """Everything that the settings of these items, of their levels and of categories can come from.

    Two statements, and more only for many thousands of items. A combination's product must be among the items.
    """
    found = list(items)
    wanted = {item.category_id for item in found if item.category_id is not None} | set(category_ids)
    chains = await catalog.chains(wanted)
    above = {category_id for chain in chains.values() for category_id, _ in chain}
    where = Q(scope__in=[SettingScope.WEBSITE, SettingScope.ORGANIZATION, SettingScope.SYSTEM])
    if above:
        where |= Q(scope=SettingScope.CATEGORY, owner_id__in=above)
    rows = await Override.filter(where | _of_items(found[:_ASKED_AT_ONCE]) if found else where)
    for start in range(_ASKED_AT_ONCE, len(found), _ASKED_AT_ONCE):
        rows += await Override.filter(_of_items(found[start : start + _ASKED_AT_ONCE]))
    return Book({(row.scope, row.owner_id): row.own for row in rows}, chains)


def _of_items(items: Sequence[Item]) -> Q:
    """What is set at these items and at their levels."""
    ids = [item.id for item in items]
    levels = InventoryLevel.filter(item_id__in=ids)
    of_items = Q(scope__in=[SettingScope.PRODUCT, SettingScope.COMBINATION], owner_id__in=ids)
    return of_items | Q(scope=SettingScope.LEVEL, owner_id__in=Subquery(levels.values("id")))


async def change(scope: SettingScope, owner_id: int, values: Mapping[str, Any]) -> None:
    """Set values at a place; None takes a value away, what is left out stays."""
    own = Override.filter(scope=scope, owner_id=owner_id).select_for_update()
    row = await own.get_or_none() or Override(scope=scope, owner_id=owner_id)
    merged = row.values_set | {name: settings.to_stored(name, value) for name, value in values.items()}
    row.values_set = {name: value for name, value in merged.items() if value is not None}
    await row.save()
    await outbox.add([ANY_SETTING])


async def own_values(keys: Collection[Key]) -> dict[Key, dict[str, Any]]:
    """The values set at each of these places."""
    return {key: row.own for key, row in (await _rows(keys)).items()}


async def change_many(changes: Mapping[Key, Mapping[str, Any]]) -> None:
    """As ``change`` for many places, with one statement for all that had no values before."""
    rows = await _rows(changes)
    made = []
    for (scope, owner_id), values in changes.items():
        row = rows.get((scope, owner_id)) or Override(scope=scope, owner_id=owner_id, updated_at=database.now())
        merged = row.values_set | {name: settings.to_stored(name, value) for name, value in values.items()}
        row.values_set = {name: value for name, value in merged.items() if value is not None}
        if (scope, owner_id) in rows:
            await row.save()
        else:
            made.append(row)
    await database.insert_many(made)
    await outbox.add([ANY_SETTING] if changes else [])


async def _rows(keys: Collection[Key]) -> dict[Key, Override]:
    by_scope: dict[SettingScope, list[int]] = {}
    for scope, owner_id in keys:
        by_scope.setdefault(scope, []).append(owner_id)
    found = [row for scope, ids in by_scope.items() for row in await Override.filter(scope=scope, owner_id__in=ids)]
    return {(row.scope, row.owner_id): row for row in found}
