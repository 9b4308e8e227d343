"""A consumer of exports: reads the rows of a stream, then the feed after its cursor, as documented."""

import json
from collections.abc import Iterable
from typing import Any

from gqlstock.rules.scopes import SYSTEM, Caller
from gqlstock.services import exports
from gqlstock.services.exports import Format, Kind
from support.graphql_client import Client

CHANGES = """query Later($after: String) {
  inventoryChanges(first: 250, after: $after) {
    nodes {
      level { id item { sku } warehouse { code } onHand reserved planned backordered held incoming available deletedAt }
      movement { id kind quantity onHandAfter }
    }
    pageInfo { hasNextPage endCursor }
  }
}"""
FIGURES = ("onHand", "reserved", "planned", "backordered", "held", "incoming", "available")


async def exported(kind: Kind, form: Format = Format.CSV) -> str:
    """Read a whole file."""
    parts: list[bytes] = []
    await exports.write(kind, form, parts.append, lambda _: None)
    return b"".join(parts).decode()


async def streamed(kind: Kind, caller: Caller = SYSTEM) -> tuple[str, list[dict[str, Any]]]:
    """The cursor and the rows of a stream."""
    text = b"".join([part async for part in exports.stream(kind, caller)]).decode()
    first, *rows = map(json.loads, text.splitlines())
    return first["cursor"], rows


class Mirror:
    """Levels and movements by id: exported rows, with every change after the cursor applied in order."""

    def __init__(self, cursor: str) -> None:
        self.cursor: str | None = cursor
        self.levels: dict[str, dict[str, Any]] = {}
        self.movements: dict[str, dict[str, Any]] = {}

    def take_levels(self, rows: Iterable[dict[str, Any]]) -> None:
        for row in rows:
            self.levels[row["id"]] = {
                "sku": row["sku"],
                "warehouse": row["warehouse"],
                **{figure: row[figure] for figure in FIGURES},
            }

    def take_movements(self, rows: Iterable[dict[str, Any]]) -> None:
        for row in rows:
            self.movements[row["id"]] = {name: row[name] for name in ("kind", "quantity", "onHandAfter")}

    async def catch_up(self, client: Client) -> int:
        """Apply the changes in the feed after the cursor. Returns their number."""
        count, more = 0, True
        while more:
            page = (await client.admin(CHANGES, after=self.cursor))["inventoryChanges"]
            for change in page["nodes"]:
                self._apply(change)
            count += len(page["nodes"])
            self.cursor = page["pageInfo"]["endCursor"] or self.cursor
            more = page["pageInfo"]["hasNextPage"]
        return count

    def _apply(self, change: dict[str, Any]) -> None:
        level, movement = change["level"], change["movement"]
        if level["deletedAt"] is not None:
            self.levels.pop(level["id"], None)
        else:
            names = {"sku": level["item"]["sku"], "warehouse": level["warehouse"]["code"]}
            self.levels[level["id"]] = names | {figure: level[figure] for figure in FIGURES}
        if movement is not None:
            self.movements[movement["id"]] = {name: movement[name] for name in ("kind", "quantity", "onHandAfter")}
