"""The stored settings: one row for each place that has values of its own.

Which place wins is decided in ``rules.fallback``.
"""

from collections.abc import Collection, Iterable, Mapping
from decimal import Decimal
from typing import Any

from tortoise import fields
from tortoise.models import Model

from gqlstock.rules import alerts
from gqlstock.rules import settings as rules
from gqlstock.rules.catalog import Item
from gqlstock.rules.events import ANY_SETTING
from gqlstock.rules.fallback import Fallback, Key, SettingsLookup
from gqlstock.rules.ids import UNSTORED
from gqlstock.rules.network import Network
from gqlstock.rules.settings import SettingScope
from gqlstock.store import catalog, categories, outbox, reassessments, warehouses
from gqlstock.store.db import clock, connection, sql, writing
from gqlstock.store.db.records import records

# A statement takes at most 32,767 values on PostgreSQL; each item needs two.
_ITEMS_PER_STATEMENT = 10_000
# One SELECT for each kind of place: with one condition for all of them PostgreSQL uses no index.
_ABOVE = """SELECT * FROM setting_override WHERE scope IN ('WEBSITE', 'ORGANIZATION', 'SYSTEM')
    UNION ALL SELECT * FROM setting_override WHERE scope = 'CATEGORY' AND owner_id IN ({})"""
# The values of items and of their levels.
_OF_ITEMS = """SELECT * FROM setting_override WHERE scope IN ('PRODUCT', 'COMBINATION') AND owner_id IN ({{items}})
    UNION ALL SELECT * FROM setting_override WHERE scope = 'LEVEL' AND owner_id {levels}"""
_LEVELS = "(SELECT id FROM inventory_level WHERE item_id IN ({items}))"


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


async def lookup(items: Iterable[Item], network: Network | None = None) -> SettingsLookup:
    """The settings of items on every website."""
    known = await catalog.with_products(items)
    return SettingsLookup(known, network or await warehouses.network(), await fallback(known.values()))


async def fallback(items: Iterable[Item] = (), category_ids: Iterable[int] = ()) -> Fallback:
    """All values that apply to these items, to their levels and to these categories.

    Two statements, and more only for many thousands of items. The product of a combination must be among the items.
    """
    given = list(items)
    wanted = {item.category_id for item in given if item.category_id is not None} | set(category_ids)
    chains = await categories.chains(wanted)
    above = {category_id for chain in chains.values() for category_id, _ in chain}
    ids = [item.id for item in given]
    first, rest = ids[:_ITEMS_PER_STATEMENT], ids[_ITEMS_PER_STATEMENT:]
    everywhere = _ABOVE.format(sql.slots(above)) + " UNION ALL " + _of_items(first)
    rows = await records(rules.Override, everywhere, *above, *first, *first)
    for part in sql.parts(rest, _ITEMS_PER_STATEMENT):
        rows += await records(rules.Override, _of_items(part), *part, *part)
    return Fallback({(row.scope, row.owner_id): row.own for row in rows}, chains)


def _of_items(ids: Collection[int]) -> str:
    # An array of levels instead of a join: for a join PostgreSQL reads the values of all levels.
    levels = f"= ANY(ARRAY{_LEVELS})" if connection.is_postgres() else f"IN {_LEVELS}"
    return _OF_ITEMS.format(levels=levels).format(items=sql.slots(ids))


async def quantities_set(name: str) -> set[Decimal]:
    """Every value of a quantity setting, at any place."""
    value = _value_of(name)
    rows = await sql.query(f"SELECT DISTINCT {value} AS value FROM setting_override WHERE {value} IS NOT NULL")
    return {rules.from_stored(name, row["value"]) for row in rows}


def _value_of(name: str) -> str:
    return f"values_set ->> '{name}'" if connection.is_postgres() else f"json_extract(values_set, '$.{name}')"


async def is_set(name: str) -> bool:
    """Whether a setting has a value at any place."""
    found = await sql.query(
        f"SELECT EXISTS (SELECT 1 FROM setting_override WHERE {_value_of(name)} IS NOT NULL) AS somewhere"
    )
    return bool(found[0]["somewhere"])


async def change(scope: SettingScope, owner_id: int, values: Mapping[str, Any]) -> None:
    """Set values at a place. None removes a value; settings that are left out stay."""
    locked = Override.filter(scope=scope, owner_id=owner_id).select_for_update()
    stored = {(row.scope, row.owner_id): row for row in await records(rules.Override, locked)}
    await _write({(scope, owner_id): values}, stored)


async def own_values(keys: Collection[Key]) -> dict[Key, dict[str, Any]]:
    """The own values of each of these places."""
    return {key: row.own for key, row in (await _rows(keys)).items()}


async def change_many(changes: Mapping[Key, Mapping[str, Any]]) -> None:
    """Like ``change`` for many places. Places without values are inserted with one statement."""
    await _write(changes, await _rows(changes))


async def _write(changes: Mapping[Key, Mapping[str, Any]], stored: Mapping[Key, rules.Override]) -> None:
    now = clock.now()
    before = {key: stored.get(key) or rules.Override(UNSTORED, *key, {}, now) for key in changes}
    pairs = [(before[key], before[key].changed(values, now)) for key, values in changes.items()]
    await writing.update(Override, [pair for pair in pairs if pair[0].id != UNSTORED])
    await writing.insert(Override, [after for _, after in pairs if after.id == UNSTORED])
    await outbox.add([ANY_SETTING] if changes else [])
    await _reassess(changes)


async def _reassess(changes: Mapping[Key, Mapping[str, Any]]) -> None:
    """Queue the items whose alerts may depend on these changes."""
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


async def _rows(keys: Collection[Key]) -> dict[Key, rules.Override]:
    by_scope: dict[SettingScope, list[int]] = {}
    for scope, owner_id in keys:
        by_scope.setdefault(scope, []).append(owner_id)
    found: list[rules.Override] = []
    for scope, ids in by_scope.items():
        found += await records(rules.Override, Override.filter(scope=scope, owner_id__in=ids))
    return {(row.scope, row.owner_id): row for row in found}
