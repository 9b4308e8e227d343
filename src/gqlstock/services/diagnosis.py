"""Finds what is set up badly about the database and what waits in it. Writes nothing, and accepts a database of any state."""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from datetime import datetime

from gqlstock.rules.diagnosis import postgres, processes, sqlite
from gqlstock.rules.diagnosis.findings import Finding, problem
from gqlstock.rules.diagnosis.processes import DeliveryFacts, Pending
from gqlstock.rules.feed import START
from gqlstock.services import status
from gqlstock.services.status import NotUsable
from gqlstock.store import diagnosis, dispatch, mail, outbox, webhooks
from gqlstock.store.db import clock, connection
from gqlstock.store.db.connection import CONNECTIONS_PER_PROCESS, DatabaseUrl, Postgres

log = logging.getLogger(__name__)

_UNREACHABLE = ". Check that it runs and that GQLSTOCK_DATABASE_URL is right."
_CANNOT_TAKE_OVER = (
    ". If the primary server fails, it cannot take over. Start it, or take it out of GQLSTOCK_DATABASE_URL."
)
_INTERRUPTED = (
    "Run this again. If it stays, look at the server's log, and for locks that a migration or a client holds."
)
_DAMAGED = "If this happens again, it may be damaged: restore a backup (docs/backup.md)."


async def diagnose(url: DatabaseUrl, workers: int, *, alerts: bool, integrity: bool) -> list[Finding]:
    """The findings about a database that ``workers`` processes use.

    ``alerts``: mails about alerts have recipients. ``integrity``: also check all pages of a SQLite file.
    """
    found: list[Finding] = []
    async with connection.opened(url, read_only=True):
        try:
            async for findings in _findings(url, workers, alerts=alerts, integrity=integrity):
                found += findings
        except Exception as error:
            log.debug("reading the database failed", exc_info=error)
            advice = _INTERRUPTED if isinstance(url, Postgres) else _DAMAGED
            reason = str(error).partition("\n")[0] or "no answer in time"
            found.append(problem(f"The database {status.named(url)} cannot be read: {reason}. {advice}"))
    if isinstance(url, Postgres) and len(url.servers) > 1:
        for server in url.servers:
            async with connection.opened(server, read_only=True):
                silent = await _refusal(status.check_answers, server)
            found += [problem(f"{silent}{_CANNOT_TAKE_OVER}")] if silent is not None else []
    return found


async def _findings(
    url: DatabaseUrl, workers: int, *, alerts: bool, integrity: bool
) -> AsyncIterator[Iterable[Finding]]:
    unreachable = await _refusal(status.check_answers, url)
    if unreachable is not None:
        yield [problem(f"{unreachable}{_UNREACHABLE if isinstance(url, Postgres) else ''}")]
        return
    # A role that may not read the tables finds none.
    is_readable = await diagnosis.can_read_tables()
    outdated = await _refusal(status.check_usable, url) if is_readable else None
    if outdated is not None:
        yield [problem(outdated)]
    up_to_date = is_readable and outdated is None
    if isinstance(url, Postgres):
        facts = await diagnosis.postgres(up_to_date=up_to_date)
        yield postgres.assess(facts, workers, CONNECTIONS_PER_PROCESS)
    else:
        yield sqlite.assess(await diagnosis.sqlite(integrity=integrity))
    if up_to_date:
        yield processes.deliveries(await _deliveries(alerts=alerts))


async def _refusal(check: Callable[[DatabaseUrl], Awaitable[None]], url: DatabaseUrl) -> str | None:
    """Why a check refuses the database; None if it does not."""
    try:
        await check(url)
    except NotUsable as error:
        return str(error)
    return None


async def _deliveries(*, alerts: bool) -> DeliveryFacts:
    backlog = await status.backlog(await dispatch.place() or START)
    latest = await outbox.latest_time()
    return DeliveryFacts(
        changes=backlog.news,
        seconds=backlog.oldest_seconds,
        has_recipients=alerts or await dispatch.wanted(),
        pending=(
            Pending("webhook", backlog.webhooks, _age(await webhooks.queue.oldest_pending())),
            Pending("mail", backlog.letters, _age(await mail.queue.oldest_pending())),
        ),
        ahead=-_age(latest),
    )


def _age(moment: datetime | None) -> float:
    """In seconds; 0 without a moment."""
    return (clock.now() - moment).total_seconds() if moment is not None else 0.0
