"""Where settings are kept: one row for each place that has values of its own."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from tortoise import fields
from tortoise.models import Model

from gqlstock.rules import alerts, settings
from gqlstock.rules.catalog import Item
from gqlstock.rules.events import ANY_SETTING
from gqlstock.rules.network import SalesChannel
from gqlstock.rules.settings import Place, Settings, SettingScope
from gqlstock.store import catalog, database, outbox, reassessments

SYSTEM_OWNER = 0
# PostgreSQL takes 32,767 values with one statement; each item is two of them.
_ASKED_AT_ONCE = 10_000
# One part for each kind of place: of all of them at once, no index tells which rows are wanted.
_ABOVE = """SELECT * FROM setting_override WHERE scope IN ('WEBSITE', 'ORGANIZATION', 'SYSTEM')
    UNION ALL SELECT * FROM setting_override WHERE scope = 'CATEGORY' AND owner_id IN ({})"""
# What is set at items and at their levels.
_OF_ITEMS = """SELECT * FROM setting_override WHERE scope IN ('PRODUCT', 'COMBINATION') AND owner_id IN ({{items}})
    UNION ALL SELECT * FROM setting_override WHERE scope = 'LEVEL' AND owner_id {levels}"""
_LEVELS = "(SELECT id FROM inventory_level WHERE item_id IN ({items}))"

Key = tuple[SettingScope, int]
_Owner = tuple[SettingScope, int, str | None]
"""A place with the name of its owner."""


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
        self._at: dict[SettingScope, dict[int, dict[str, Any]]] = {scope: {} for scope in SettingScope}
        for (scope, owner_id), own in values.items():
            self._at[scope][owner_id] = own
        self._of_products = self._at[SettingScope.PRODUCT]
        self._of_combinations = self._at[SettingScope.COMBINATION]
        self._chains = chains
        self._resolved: dict[tuple[Key, ...], Settings] = {}
        self._above: dict[tuple[int | None, int | None], Settings] = {}
        """What is in effect where an item has nothing of its own, by category and website."""

    def places(
        self,
        product: Item | None,
        channel: SalesChannel | None,
        *,
        combination: Item | None = None,
        level: tuple[int, str] | None = None,
        category_id: int | None = None,
    ) -> list[Place]:
        """The places with values of their own that an item looks up, strongest first; ``level`` is its id and name."""
        found = self._chain(product, channel, combination, level, category_id)
        return [Place(scope, name, self._at[scope][owner_id]) for scope, owner_id, name in found]

    def settings(
        self,
        product: Item | None,
        channel: SalesChannel | None,
        *,
        combination: Item | None = None,
        level: tuple[int, str] | None = None,
        category_id: int | None = None,
    ) -> Settings:
        """The settings in effect there."""
        above = None
        if level is None and not self._has_own(product, combination):
            # Most items have no values of their own: all of a category have the same.
            above = product.category_id if product else category_id, channel.id if channel else None
            if above in self._above:
                return self._above[above]
        found = self._chain(product, channel, combination, level, category_id)
        known = tuple((scope, owner_id) for scope, owner_id, _ in found)
        if known not in self._resolved:
            self._resolved[known] = settings.resolve(
                Place(scope, None, self._at[scope][owner_id]) for scope, owner_id in known
            )
        if above is not None:
            self._above[above] = self._resolved[known]
        return self._resolved[known]

    def has_any(self, scope: SettingScope) -> bool:
        """Whether anything is set at any place of a kind."""
        return bool(self._at[scope])

    def _has_own(self, product: Item | None, combination: Item | None) -> bool:
        return (product is not None and product.id in self._of_products) or (
            combination is not None and combination.id in self._of_combinations
        )

    def has(self, name: str) -> bool:
        """Whether that setting has a value at any of the places."""
        return any(name in own for owners in self._at.values() for own in owners.values())

    def own(self, scope: SettingScope, owner_id: int) -> dict[str, Any]:
        """The values set at one place."""
        return self._at[scope].get(owner_id, {})

    def _chain(
        self,
        product: Item | None,
        channel: SalesChannel | None,
        combination: Item | None,
        level: tuple[int, str] | None,
        category_id: int | None,
    ) -> list[_Owner]:
        """The places looked up that have values, strongest first, with the names of their owners."""
        asked: list[_Owner] = []
        if level is not None:
            asked.append((SettingScope.LEVEL, *level))
        if combination is not None:
            asked.append((SettingScope.COMBINATION, combination.id, combination.sku))
        if product is not None:
            asked.append((SettingScope.PRODUCT, product.id, product.sku))
            category_id = product.category_id
        if category_id is not None:
            asked += [(SettingScope.CATEGORY, one, slug) for one, slug in self._chains.get(category_id, ())]
        if channel is not None:
            asked.append((SettingScope.WEBSITE, channel.id, channel.code))
            asked.append((SettingScope.ORGANIZATION, channel.organization_id, channel.organization))
        asked.append((SettingScope.SYSTEM, SYSTEM_OWNER, None))
        return [one for one in asked if one[1] in self._at[one[0]]]


async def book(items: Iterable[Item] = (), category_ids: Iterable[int] = ()) -> Book:
    """Everything that the settings of these items, of their levels and of categories can come from.

    Two statements, and more only for many thousands of items. A combination's product must be among the items.
    """
    found = list(items)
    wanted = {item.category_id for item in found if item.category_id is not None} | set(category_ids)
    chains = await catalog.chains(wanted)
    above = {category_id for chain in chains.values() for category_id, _ in chain}
    ids = [item.id for item in found]
    first, rest = ids[:_ASKED_AT_ONCE], ids[_ASKED_AT_ONCE:]
    everywhere = _ABOVE.format(database.slots(above)) + " UNION ALL " + _of_items(first)
    rows = await _overrides(everywhere, *above, *first, *first)
    for start in range(0, len(rest), _ASKED_AT_ONCE):
        part = rest[start : start + _ASKED_AT_ONCE]
        rows += await _overrides(_of_items(part), *part, *part)
    return Book({(row.scope, row.owner_id): row.own for row in rows}, chains)


def _of_items(ids: Collection[int]) -> str:
    # A list of levels, and no join: PostgreSQL would read what is set at all levels for it.
    levels = f"= ANY(ARRAY{_LEVELS})" if database.is_postgres() else f"IN {_LEVELS}"
    return _OF_ITEMS.format(levels=levels).format(items=database.slots(ids))


async def _overrides(statement: str, *values: Any) -> list[Override]:
    return [Override._init_from_db(**row) for row in await database.look(statement, *values)]


async def quantities_set(name: str) -> set[Decimal]:
    """Every quantity that is set for one setting, at whatever place."""
    value = _value_of(name)
    rows = await database.query(f"SELECT DISTINCT {value} AS value FROM setting_override WHERE {value} IS NOT NULL")
    return {settings.from_stored(name, row["value"]) for row in rows}


def _value_of(name: str) -> str:
    return f"values_set ->> '{name}'" if database.is_postgres() else f"json_extract(values_set, '$.{name}')"


async def is_set(name: str) -> bool:
    """Whether a setting has a value at any place."""
    found = await database.query(
        f"SELECT EXISTS (SELECT 1 FROM setting_override WHERE {_value_of(name)} IS NOT NULL) AS somewhere"
    )
    return bool(found[0]["somewhere"])


async def change(scope: SettingScope, owner_id: int, values: Mapping[str, Any]) -> None:
    """Set values at a place; None takes a value away, what is left out stays."""
    own = Override.filter(scope=scope, owner_id=owner_id).select_for_update()
    row = await own.get_or_none() or Override(scope=scope, owner_id=owner_id)
    merged = row.values_set | {name: settings.to_stored(name, value) for name, value in values.items()}
    row.values_set = {name: value for name, value in merged.items() if value is not None}
    await row.save()
    await outbox.add([ANY_SETTING])
    await _reassess({(scope, owner_id): values})


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
    await _reassess(changes)


async def _reassess(changes: Mapping[Key, Mapping[str, Any]]) -> None:
    """Have the items assessed again whose alerts may depend on these changes."""
    owners: dict[SettingScope, list[int]] = {}
    for (scope, owner_id), values in changes.items():
        if not alerts.SETTINGS.isdisjoint(values):
            owners.setdefault(scope, []).append(owner_id)
    if not owners.keys() <= _OF_ITEMS_OR_CATEGORIES:
        await reassessments.add_everything()
        return
    for category_id in owners.get(SettingScope.CATEGORY, ()):
        await reassessments.add_category(category_id)
    await reassessments.add_items(owners.get(SettingScope.PRODUCT, []) + owners.get(SettingScope.COMBINATION, []))
    await reassessments.add_levels(owners.get(SettingScope.LEVEL, []))


_OF_ITEMS_OR_CATEGORIES = {
    SettingScope.CATEGORY,
    SettingScope.PRODUCT,
    SettingScope.COMBINATION,
    SettingScope.LEVEL,
}


async def _rows(keys: Collection[Key]) -> dict[Key, Override]:
    by_scope: dict[SettingScope, list[int]] = {}
    for scope, owner_id in keys:
        by_scope.setdefault(scope, []).append(owner_id)
    found = [row for scope, ids in by_scope.items() for row in await Override.filter(scope=scope, owner_id__in=ids)]
    return {(row.scope, row.owner_id): row for row in found}
