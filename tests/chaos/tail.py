"""Confirmed calls that an asynchronous standby did not have when it was promoted."""

import dataclasses
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from support.history import UNANSWERED, Call
from support.stock_evidence import Evidence, Kept


@dataclass(frozen=True)
class Tail:
    """``since``: when the standby was cut off; ``until``: when it was promoted. Monotonic seconds."""

    since: float
    until: float


@dataclass(frozen=True)
class Split:
    """``there``: the calls to check, without answers that may be wrong now; ``lost``: confirmed calls that were lost."""

    there: list[Call]
    lost: list[Call]
    problems: list[str]


# What was confirmed shortly before may not have reached the standby either.
_UNDERWAY = 1.0
# Of the database's clock. No repetition is that early, because the standby is promoted first.
_INACCURACY = 0.1


def split(calls: Sequence[Call], evidence: Mapping[str, Evidence], tail: Tail) -> Split:
    """Which of the calls answered between the cut and the promotion were lost. Refusals and reads of that time may be of the
    lost history. Of calls without a key it is not known, so they may or may not have happened."""
    kept = {key: one for of_group in evidence.values() for key, one in of_group.kept.items()}
    offset = time.time() - time.monotonic()
    there: list[Call] = []
    lost: list[Call] = []
    survivors: list[Call] = []
    for call in calls:
        if call.optional or call.start > tail.until or call.end < tail.since - _UNDERWAY:
            there.append(call)
        elif call.refusals or call.name == "look":
            continue
        elif call.key is None:
            there.append(dataclasses.replace(call, refusals=None, end=UNANSWERED, made=None))
        elif call.key in kept and _is_its_own(call, kept[call.key], offset):
            there.append(call)
            survivors.append(call)
        else:
            lost.append(call)
    return Split(there, lost, _out_of_order(survivors, lost, tail))


def _is_its_own(call: Call, kept: Kept, offset: float) -> bool:
    """Whether what is stored under the key is of this call, not of a repetition after it was lost."""
    same = call.made is None or kept.made in (call.made, None)
    return same and kept.at.timestamp() - offset < call.end + _INACCURACY


def _out_of_order(survivors: Sequence[Call], lost: Sequence[Call], tail: Tail) -> list[str]:
    """What is lost must be an end of the history: nothing that began after it was confirmed may be there."""
    first = min((call.end for call in lost), default=UNANSWERED)
    later = [call for call in survivors if call.start > first and call.end < tail.until]
    return [f"{call} is there, though a call that was confirmed before it began is lost" for call in later]
