"""The base of commands on one stock announcement: names and locks its rows, and checks the caller's access."""

from abc import ABC, abstractmethod
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from gqlstock.rules import refusals
from gqlstock.rules.given_ids import GivenId
from gqlstock.rules.idempotency import IdempotencyKey
from gqlstock.rules.ledger import Level
from gqlstock.rules.receiving import StockAnnouncement
from gqlstock.rules.refusals import Refused
from gqlstock.rules.scopes import Caller
from gqlstock.stock.command import Changes, Names
from gqlstock.stock.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class AnnouncementCommand(ABC):
    """A command on one announcement. It locks the item of its level."""

    caller: Caller
    announcement_id: GivenId

    @property
    def key(self) -> IdempotencyKey | None:
        return None

    @property
    def size(self) -> int:
        return 1

    @property
    def names(self) -> Names:
        return Names(announcements=self.announcement_id.row_ids)

    def items(self, snapshot: Snapshot) -> Collection[int]:
        return {snapshot.level_items[self._announcement(snapshot).level_id]}

    @abstractmethod
    def decide(self, snapshot: Snapshot, now: datetime) -> Changes: ...

    def announcement(self, snapshot: Snapshot) -> tuple[StockAnnouncement, Level]:
        """The announcement with its level. To callers without access to the warehouse it does not exist."""
        found = self._announcement(snapshot)
        level = snapshot.level_by_id(found.level_id)
        if not self.caller.reaches(level.warehouse_id):
            raise self._missing()
        return found, level

    def _announcement(self, snapshot: Snapshot) -> StockAnnouncement:
        given = self.announcement_id.row_id
        found = snapshot.get(StockAnnouncement, given) if given is not None else None
        if found is None:
            raise self._missing()
        return found

    def _missing(self) -> Refused:
        return refusals.missing("announcement", self.announcement_id.text, "id")
