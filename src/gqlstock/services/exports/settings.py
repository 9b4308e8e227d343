"""Own settings at every scope for exports: the stored values, not the effective ones."""

from typing import Any

from gqlstock.rules import settings as rules
from gqlstock.rules.scopes import Caller
from gqlstock.rules.settings import SettingScope
from gqlstock.services.exports.page import Row
from gqlstock.store import export_pages
from gqlstock.store.db.records import stored_json

COLUMNS = ("scope", "owner", "setting", "value")
_PLACES = 500


async def page(_: Caller, after: int | None) -> tuple[list[Row], int | None]:
    """Settings grouped by owner. Leaves out those of deleted owners."""
    found = await export_pages.settings(after or 0, _PLACES)
    rows: list[Row] = [
        {
            "scope": scope,
            "owner": owner,
            "setting": rules.camel(name),
            "value": rules.wire(rules.from_stored(name, values[name])),
        }
        for _, scope, stored, owner in found
        if owner is not None or scope == SettingScope.SYSTEM
        for values in [stored_json(stored)]
        for name in rules.NAMES
        if name in values
    ]
    return rows, found[-1][0] if len(found) == _PLACES else None


def cells(row: Row) -> list[tuple[Any, ...]]:
    return [tuple(row[column] for column in COLUMNS)]
