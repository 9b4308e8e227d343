"""Finds the confirmed calls that an asynchronous standby lacked when it was promoted."""

import dataclasses
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from support.history import LOOKS, TARGETS, UNANSWERED, Call
from support.stock_evidence import Evidence, Kept


@dataclass(frozen=True)
class Tail:
    """``since``: when replication stopped; ``until``: when the standby was promoted. Monotonic seconds."""

    since: float
    until: float


@dataclass(frozen=True)
class Split:
    """``kept``: the calls to check; ``lost``: confirmed calls that were lost."""

    kept: list[Call]
    lost: list[Call]
    problems: list[str]


# Seconds. Calls confirmed shortly before replication stopped may be lost, too.
_IN_FLIGHT = 1.0
# Seconds by which the database's clock may differ. Retries come later, because the promotion takes longer.
_CLOCK_TOLERANCE = 0.1


def split(calls: Sequence[Call], evidence: Mapping[str, Evidence], tail: Tail) -> Split:
    """Find the calls that were lost. Only calls that ran while replication was stopped can be lost.

    Refusals and reads of that time are not checked, because they may depend on lost calls. Calls without a key become
    optional, because it is unknown whether they were lost. A lost object may have the id of a new one, of other items."""
    stored = {key: one for group in evidence.values() for key, one in group.kept.items()}
    offset = time.time() - time.monotonic()
    kept: list[Call] = []
    lost: list[Call] = []
    survivors: list[Call] = []
    for call in calls:
        if call.start > tail.until or call.end < tail.since - _IN_FLIGHT:
            kept.append(call)
            continue
        call = _of_its_object(call, evidence)
        if call.optional:
            kept.append(call)
        elif call.refusals or call.name in LOOKS:
            continue
        elif call.key is None:
            kept.append(dataclasses.replace(call, refusals=None, end=UNANSWERED, made=None))
        elif call.key in stored and _is_original(call, stored[call.key], offset):
            kept.append(call)
            survivors.append(call)
        else:
            lost.append(call)
    return Split(kept, lost, _out_of_order(survivors, lost, tail))


def _of_its_object(call: Call, evidence: Mapping[str, Evidence]) -> Call:
    """The call in the group of the object that the database now has under the id to which it refers."""
    if call.name not in TARGETS:
        return call
    kind, id = TARGETS[call.name], call.target
    owners = (group for group, one in evidence.items() if id in getattr(one, f"{kind}s"))
    return dataclasses.replace(call, group=next(owners, call.group))


def _is_original(call: Call, stored: Kept, offset: float) -> bool:
    """Whether the answer stored under the key belongs to this call, and not to a retry after the call was lost."""
    same = call.made is None or stored.made in (call.made, None)
    return same and stored.at.timestamp() - offset < call.end + _CLOCK_TOLERANCE


def _out_of_order(survivors: Sequence[Call], lost: Sequence[Call], tail: Tail) -> list[str]:
    """The lost calls must be the end of the history: a call that began after a lost one was confirmed must be lost, too."""
    first = min((call.end for call in lost), default=UNANSWERED)
    later = [call for call in survivors if call.start > first and call.end < tail.until]
    return [f"{call} was kept, but a call that was confirmed before it began was lost" for call in later]
