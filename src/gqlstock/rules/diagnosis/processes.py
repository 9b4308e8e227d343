"""What is set up badly around the database: environment, Redis, deliveries."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gqlstock.rules.diagnosis.findings import Finding, count, note, period, problem

_OLDEST_REDIS = (6, 0)
_MAX_SECONDS_OF_CHANGES = 300.0
_MAX_SECONDS_OF_DELIVERIES = 3_600.0
_MAX_SECONDS_AHEAD = 5.0


@dataclass(frozen=True, slots=True)
class RedisFacts:
    """``address``: without user and password; ``error``: why it does not answer.

    ``version`` and ``listeners`` (server processes that listen for changes) None: they cannot be read.
    """

    address: str
    error: str | None = None
    version: str | None = None
    listeners: int | None = None


@dataclass(frozen=True, slots=True)
class Pending:
    """Pending deliveries of a kind, ``webhook`` or ``mail``, and the age of the oldest in seconds."""

    kind: str
    number: int
    seconds: float


@dataclass(frozen=True, slots=True)
class DeliveryFacts:
    """``changes``: those not turned into deliveries yet, the oldest for ``seconds``; ``has_recipients``: of any delivery.

    ``ahead``: seconds from now to the time of the latest change.
    """

    changes: int = 0
    seconds: float = 0.0
    has_recipients: bool = False
    pending: tuple[Pending, ...] = ()
    ahead: float = 0.0


def environment(unknown: Sequence[str], *, alerts: bool, mail: bool, unsubscribe_page: bool) -> Iterator[Finding]:
    """``unknown``: a sentence for each unknown variable. ``alerts``, ``mail``, ``unsubscribe_page``: what is configured."""
    yield from map(problem, unknown)
    if alerts and not mail:
        yield problem(
            "GQLSTOCK_ADMIN_EMAILS is set and GQLSTOCK_SMTP_URL is not: mails about alerts are only written to the log. "
            "Set GQLSTOCK_SMTP_URL."
        )
    if mail and not unsubscribe_page:
        yield note(
            "GQLSTOCK_UNSUBSCRIBE_URL is not set: letters link to the address that gqlstock serve listens on. "
            "Set it to a page that shoppers can reach."
        )


def redis(facts: RedisFacts | None, processes: int) -> Iterator[Finding]:
    """The findings about Redis; None if it is not configured."""
    if facts is None:
        if processes > 1:
            yield note(
                f"GQLSTOCK_REDIS_URL is not set: the changes of one of {processes} processes reach the others up to a second "
                "late, and each limits requests on its own. Set it to the same Redis for all."
            )
        return
    if facts.error is not None:
        yield problem(
            f"Redis at {facts.address} does not answer: {facts.error}. Until it does, changes reach other processes up to a "
            "second late, and each limits requests on its own. Start it, or correct GQLSTOCK_REDIS_URL."
        )
        return
    if facts.version is None:
        yield note("Not checked, because the Redis user may not run INFO: the version of Redis.")
    elif _numbers(facts.version) < _OLDEST_REDIS:
        yield problem(f"Redis at {facts.address} is version {facts.version}. Upgrade it to 6 or later.")
    if facts.listeners is not None and 0 < facts.listeners < processes:
        yield note(
            f"{facts.listeners} of {processes} processes listen to Redis at {facts.address}. "
            "If the others run, give all the same GQLSTOCK_REDIS_URL."
        )


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2] if part.isdecimal())


def deliveries(facts: DeliveryFacts) -> Iterator[Finding]:
    if facts.ahead >= _MAX_SECONDS_AHEAD:
        yield problem(
            f"The latest change is dated {period(facts.ahead)} from now, so the clock of the database was set back. "
            "Check that it is right now, for example with NTP."
        )
    if facts.has_recipients and facts.changes and facts.seconds >= _MAX_SECONDS_OF_CHANGES:
        yield problem(
            f"Changes wait to become webhooks and mails: {facts.changes:,}, the oldest for {period(facts.seconds)}. "
            "Check that a server runs, and its log."
        )
    for pending in facts.pending:
        if pending.seconds >= _MAX_SECONDS_OF_DELIVERIES:
            yield problem(
                f"Pending deliveries: {count(pending.number, pending.kind)}, the oldest for {period(pending.seconds)}. "
                f"{_REASONS[pending.kind]}"
            )


_REASONS = {
    "webhook": "webhookDeliveries(state: PENDING) says why.",
    "mail": "The log of the servers says why.",
}
