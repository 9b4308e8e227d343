"""The stored settings: one row for each place with values of its own. ``rules.fallback`` decides which place wins."""

from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Any

from tortoise import fields
from tortoise.models import Model

from gqlstock.rules import alerts, events, promises
from gqlstock.rules import settings as rules
from gqlstock.rules.events import ANY_SETTING, Event, ItemChange
from gqlstock.rules.fallback import Fallback, Key
from gqlstock.rules.ids import UNSTORED
from gqlstock.rules.settings import SettingScope
from gqlstock.store import categories, named_levels, outbox, reassessments
from gqlstock.store.db import clock, connection, sql, writing
from gqlstock.store.db.records import hydrate, records

# PostgreSQL accepts at most 32,767 parameters per statement; each item needs two.
_ITEMS_PER_STATEMENT = 10_000
_ABOVE = "SELECT * FROM setting_override WHERE scope IN ('WEBSITE', 'ORGANIZATION', 'SYSTEM')"
_OF_CATEGORIES = "SELECT * FROM setting_override WHERE scope = 'CATEGORY' AND owner_id IN ({slots})"
# The values of items and their levels. One SELECT per scope, because PostgreSQL uses no index for a combined condition.
_OF_ITEMS = """SELECT o.*, o.owner_id AS item_id FROM setting_override o
    WHERE o.scope IN ('PRODUCT', 'COMBINATION') AND o.owner_id IN ({{items}})
    UNION ALL SELECT o.*, (SELECT l.item_id FROM inventory_level l WHERE l.id = o.owner_id) FROM setting_override o
    WHERE o.scope = 'LEVEL' AND o.owner_id {levels}"""
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


async def above() -> Fallback:
    """The values of all websites and organizations and of the system."""
    return Fallback({(row.scope, row.owner_id): row.own for row in await records(rules.Override, _ABOVE)})


async def of_categories(above: Fallback, category_ids: Collection[int]) -> dict[int, Fallback]:
    """The values that apply to items of each category, including those above categories."""
    chains = await categories.chains(category_ids)
    everyone = {category_id for chain in chains.values() for category_id, _ in chain}
    statement = _OF_CATEGORIES.format(slots=sql.slots(everyone))
    own = {row.owner_id: row.own for row in await records(rules.Override, statement, *everyone)} if everyone else {}
    return {
        category_id: above.of_category(
            chain, {(SettingScope.CATEGORY, id_): own[id_] for id_, _ in chain if id_ in own}
        )
        for category_id, chain in chains.items()
    }


async def own(item_ids: Collection[int]) -> dict[int, dict[Key, dict[str, Any]]]:
    """The values set on each of these items and its levels. Any number of items."""
    found: dict[int, dict[Key, dict[str, Any]]] = {item_id: {} for item_id in item_ids}
    for part in sql.parts(found, _ITEMS_PER_STATEMENT):
        rows = await sql.fetch_raw(_of_items(part), *part, *part)
        for row, override in zip(rows, hydrate(rules.Override, rows), strict=True):
            found[row["item_id"]][override.scope, override.owner_id] = override.own
    return found


def _of_items(ids: Collection[int]) -> str:
    # An array of levels, because PostgreSQL reads the values of all levels for a join.
    levels = f"= ANY(ARRAY{_LEVELS})" if connection.is_postgres() else f"IN {_LEVELS}"
    return _OF_ITEMS.format(levels=levels).format(items=sql.slots(ids))


async def quantities_set(name: str) -> set[Decimal]:
    """The values of a quantity setting at all places."""
    value = _value_of(name)
    rows = await sql.query(f"SELECT DISTINCT {value} AS value FROM setting_override WHERE {value} IS NOT NULL")
    return {rules.from_stored(name, row["value"]) for row in rows}


def _value_of(name: str, table: str = "setting_override") -> str:
    column = f"{table}.values_set"
    return f"{column} ->> '{name}'" if connection.is_postgres() else f"json_extract({column}, '$.{name}')"


def is_on(name: str, override: str) -> str:
    """An SQL expression: the value of a boolean setting in a row of the table, null without one. ``override``: its alias."""
    return f"CAST({_value_of(name, override)} AS BOOLEAN)"


async def categories_with(name: str) -> list[int]:
    """The ids of the categories at which a setting has a value."""
    condition = f"scope = 'CATEGORY' AND {_value_of(name)} IS NOT NULL"
    return [row["owner_id"] for row in await sql.query(f"SELECT owner_id FROM setting_override WHERE {condition}")]


async def is_set(name: str) -> bool:
    """Whether a setting has a value at any place."""
    rows = await sql.query(
        f"SELECT EXISTS (SELECT 1 FROM setting_override WHERE {_value_of(name)} IS NOT NULL) AS found"
    )
    return bool(rows[0]["found"])


async def change(scope: SettingScope, owner_id: int, values: Mapping[str, Any]) -> None:
    """Set values at a place. None removes a value; omitted settings stay as they are."""
    await change_many({(scope, owner_id): values})


async def own_values(keys: Collection[Key]) -> dict[Key, dict[str, Any]]:
    """The values set at each of these places."""
    return {key: row.own for key, row in (await _rows(keys)).items()}


async def change_many(changes: Mapping[Key, Mapping[str, Any]]) -> None:
    """Like ``change`` for many places, with as many statements as for one."""
    if not changes:
        return
    now = clock.now()
    stored = await _rows(changes, locked=True)
    before = {key: stored.get(key) or rules.Override(UNSTORED, *key, {}, now) for key in changes}
    pairs = [(before[key], before[key].changed(values, now)) for key, values in changes.items()]
    await writing.update(Override, [pair for pair in pairs if pair[0].id != UNSTORED])
    await writing.insert(Override, [after for _, after in pairs if after.id == UNSTORED])
    await outbox.add(await _events(changes))
    await _reassess(changes)


async def _events(changed: Collection[Key]) -> list[Event]:
    """The events of changes. Settings of items change these items. Those of levels only make cached reads of theirs stale."""
    of_levels = [owner_id for scope, owner_id in changed if scope is SettingScope.LEVEL]
    of_items = [owner_id for scope, owner_id in changed if scope in _ITEM_SCOPES]
    touched = await named_levels.touched(of_levels, of_items) if of_levels or of_items else {}
    above = [ANY_SETTING] if len(of_levels) + len(of_items) < len(changed) else []
    updated = {item_id: touched.pop(item_id) for item_id in of_items if item_id in touched}
    return [
        *above,
        *events.items_with_products_changed(updated.items()),
        *events.items_with_products_changed(touched.items(), ItemChange.NONE),
    ]


async def _reassess(changes: Mapping[Key, Mapping[str, Any]]) -> None:
    """Queue the items whose alerts or dates may depend on these changes."""
    owners: dict[SettingScope, list[int]] = {}
    for (scope, owner_id), values in changes.items():
        if not _REASSESSED.isdisjoint(values):
            owners.setdefault(scope, []).append(owner_id)
    if not owners.keys() <= _ITEM_AND_CATEGORY_SCOPES:
        await reassessments.add_everything()
        return
    for category_id in owners.get(SettingScope.CATEGORY, ()):
        await reassessments.add_category(category_id)
    await reassessments.add_items(owners.get(SettingScope.PRODUCT, []) + owners.get(SettingScope.COMBINATION, []))
    await reassessments.add_levels(owners.get(SettingScope.LEVEL, []))


_REASSESSED = alerts.SETTINGS | promises.SETTINGS
_ITEM_SCOPES = {SettingScope.PRODUCT, SettingScope.COMBINATION}
_ITEM_AND_CATEGORY_SCOPES = {*_ITEM_SCOPES, SettingScope.LEVEL, SettingScope.CATEGORY}


async def _rows(keys: Collection[Key], *, locked: bool = False) -> dict[Key, rules.Override]:
    by_scope: dict[SettingScope, list[int]] = {}
    for scope, owner_id in sorted(keys):
        by_scope.setdefault(scope, []).append(owner_id)
    found: list[rules.Override] = []
    for scope, ids in by_scope.items():
        matching = Override.filter(scope=scope, owner_id__in=ids)
        found += await records(rules.Override, matching.order_by("id").select_for_update() if locked else matching)
    return {(row.scope, row.owner_id): row for row in found}
