"""What can be news: the topics of the outbox, and what an entry says."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Topic(StrEnum):
    """What an entry is about; its subject is the id of that object."""

    LEVEL = "LEVEL"
    ALERT = "ALERT"
    ORDER = "ORDER"
    ITEM = "ITEM"


@dataclass(frozen=True, slots=True)
class Event:
    """One entry of the outbox before it is written, in the same transaction as what it tells of."""

    topic: Topic
    subject: int
    data: dict[str, Any] = field(default_factory=dict)
