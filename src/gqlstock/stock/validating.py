"""Validates the cache: drops what has changed since the previous validation. One validation runs at a time."""

import time

from gqlstock.stock import cache
from gqlstock.stock.cache import Cache
from gqlstock.store import validation
from gqlstock.store.db import connection
from gqlstock.store.validation import Fetch

_SECONDS_TO_CATCH_UP = 0.05


class NotValidated(Exception):
    """The database did not answer, so nothing cached can be used. The cause is the database's error."""


async def validate(kept: Cache) -> None:
    """Apply a validation that is sent after this call. Calls that arrive during a validation share the next one.

    Raises ``NotValidated``.
    """
    if kept.is_off:
        return
    try:
        # Calls wait here, where their number is limited, and not for the lock.
        await connection.until_available()
    except Exception as error:
        raise NotValidated from error
    sent_before = kept.sent
    async with kept.validating:
        if kept.applied <= sent_before:
            try:
                await validate_by(connection.reader().fetch, kept)
            except Exception as error:
                raise NotValidated from error


async def catch_up() -> None:
    """Validate the cache if the last validation was a while ago.

    Write transactions read all outbox entries since the mark without advancing it, so the mark must not grow old.
    """
    kept = cache.current()
    if kept.mark is not None and time.monotonic() - kept.validated_at > _SECONDS_TO_CATCH_UP:
        await validate(kept)


async def validate_by(fetch: Fetch, kept: Cache) -> None:
    kept.sent += 1
    mark, dropped = await validation.since(kept.mark, fetch)
    kept.apply(mark, dropped)
    kept.applied, kept.validated_at = kept.sent, time.monotonic()
