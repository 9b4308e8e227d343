"""Checks that the database answers and has the schema of this version, and reports pending work."""

import logging
from dataclasses import dataclass
from pathlib import Path

from gqlstock.rules.feed import Cursor, OutOfReach
from gqlstock.stock.validating import NotValidated
from gqlstock.store import mail, outbox, webhooks
from gqlstock.store.db import clock, pooler, sql, versions
from gqlstock.store.db.connection import DatabaseUrl, Postgres, SqliteFile
from gqlstock.store.db.outages import Disconnected, Unavailable

NOT_UP_TO_DATE = "The database is not up to date: run gqlstock migrate."

# Counting more costs time and says nothing new.
_MAX_COUNT = 100_000

SECONDS_TO_RETRY = 2
"""After how many seconds clients may try again when the database is away."""


@dataclass(frozen=True, slots=True)
class Backlog:
    """Committed work that is not done yet."""

    news: int
    oldest_seconds: float
    held_back_seconds: float
    """How long feeds have waited for a transaction that is still running."""
    webhooks: int
    letters: int


class NotUsable(Exception):
    """The database cannot be used. The message is shown to the operator."""


def is_away(error: BaseException | None) -> bool:
    """Whether an error means that the database did not answer, so that the transaction did not commit.

    Others of the same call may have committed before it.
    """
    return isinstance(error, NotValidated | Disconnected | Unavailable)


def outage(error: BaseException | None) -> str | None:
    """What an error says about an outage of the database, with its cause, in one line; None for other errors."""
    away = error.__cause__ if isinstance(error, NotValidated) else error
    if not isinstance(away, Disconnected | Unavailable):
        return None
    cause = f" ({away.__cause__})" if away.__cause__ is not None else ""
    return " ".join(f"{away}{cause}".split())


def log_failure(log: logging.Logger, what: str, error: Exception) -> None:
    """Log an error after which a loop tries again. An outage or a failover takes one line, without a traceback."""
    errors = error.exceptions if isinstance(error, ExceptionGroup) else [error]
    reasons = [str(one) if isinstance(one, OutOfReach) else outage(one) for one in errors]
    if all(reasons):
        log.warning("%s: %s", what, reasons[0])
    else:
        log.error(what, exc_info=error)


async def database_answers() -> None:
    """Raise if the database does not answer."""
    await sql.query("SELECT 1 AS one")


async def check_answers(url: DatabaseUrl) -> None:
    """Refuse an open database that cannot be reached."""
    try:
        await database_answers()
    except Exception as error:
        if isinstance(url, SqliteFile):
            _check_file(url)
        cause = error.__cause__ or error
        reason = getattr(cause, "strerror", None) or next(iter(str(cause).splitlines()), "") or "no answer in time"
        advice = pooler.advice(reason)
        raise NotUsable(
            f"The database {named(url)} cannot be reached: {reason}" + (f". {advice}" if advice else "")
        ) from None


def _check_file(url: SqliteFile) -> None:
    """Explain SQLite's "unable to open database file" for a missing file or a directory."""
    file = Path(url.path).absolute()
    if not file.parent.is_dir():
        raise NotUsable(f"The directory {file.parent} does not exist: create it, or set GQLSTOCK_DATABASE_URL.")
    if not file.exists():
        raise NotUsable(
            f"There is no database {file}: set GQLSTOCK_DATABASE_URL to its path, or run gqlstock migrate to create it."
        )
    if file.is_dir():
        raise NotUsable(f"{file} is a directory: set GQLSTOCK_DATABASE_URL to a file.")


async def check_migrated(url: DatabaseUrl) -> None:
    """Refuse an open database that is not a gqlstock database of any version."""
    await check_answers(url)
    if not await versions.applied():
        raise NotUsable(f"{named(url)} is not a gqlstock database: set GQLSTOCK_DATABASE_URL to one.")


async def check_known(url: DatabaseUrl) -> None:
    """Refuse an open database that cannot be reached or was migrated by a later version."""
    await check_answers(url)
    unknown = await versions.unknown()
    if unknown:
        raise NotUsable(
            f"The database is newer than this version of gqlstock, which does not know {', '.join(unknown)}: "
            "run the version that migrated it, or a later one."
        )


async def check_usable(url: DatabaseUrl) -> None:
    """Refuse an open database that is not exactly up to date."""
    await check_known(url)
    if await versions.pending():
        raise NotUsable(NOT_UP_TO_DATE)


async def backlog(seen: Cursor) -> Backlog:
    """The outbox entries after a cursor, and the pending deliveries."""
    news, oldest = await outbox.waiting(seen, _MAX_COUNT)
    return Backlog(
        news,
        max((clock.now() - oldest).total_seconds(), 0.0) if oldest is not None else 0.0,
        await outbox.seconds_held_back(),
        await webhooks.queue.pending(_MAX_COUNT),
        await mail.queue.pending(_MAX_COUNT),
    )


def named(url: DatabaseUrl) -> str:
    """A database by its name or file. Never includes the password."""
    if isinstance(url, Postgres):
        hosts = " or ".join(f"{host}:{port}" for host, port in url.hosts)
        return f"{url.credentials['database']} at {hosts}"
    return str(Path(url.path).absolute()) if isinstance(url, SqliteFile) else "that is configured"
