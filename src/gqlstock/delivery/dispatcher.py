"""Turns each outbox entry into deliveries exactly once: webhooks, emails to administrators and back-in-stock emails.

Any number of processes may dispatch. Each one prepares the deliveries of the next entries, and writes them in the
transaction that advances the shared cursor. A process that finds the cursor already advanced writes nothing.
"""

import asyncio
import contextlib
import logging
import secrets
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import timedelta

from gqlstock.delivery import payloads
from gqlstock.rules import webhooks as rules
from gqlstock.rules.events import Topic
from gqlstock.rules.feed import START, Cursor, Entry
from gqlstock.rules.letters import Letter, new_letter
from gqlstock.rules.webhooks import WebhookDelivery
from gqlstock.services import back_in_stock as services
from gqlstock.services import status
from gqlstock.store import alerts, back_in_stock, commands, dispatch, mail, outbox, webhooks
from gqlstock.store.back_in_stock import Pair
from gqlstock.store.db import clock, transactions

log = logging.getLogger(__name__)

_ENTRIES_PER_READ = 500
_LETTERS_PER_TRANSACTION = 500
_SECONDS_BETWEEN_POLLS = 1.0
_SECONDS_TO_GATHER = 0.02
_SECONDS_WHILE_UNUSED = 0.5
_SECONDS_WHILE_HELD_BACK = 0.05
# For entries without recipients the cursor advances in memory. It is stored from time to time, so the sweep can follow.
_SECONDS_BETWEEN_CURSOR_WRITES = 5.0
# Settings and statuses can bring items back as well. The documented limit is a minute.
_CHECK_INTERVAL = timedelta(seconds=20)


class Dispatcher:
    """``on_work`` is called when there are new deliveries."""

    def __init__(self, admin_emails: Sequence[str] = (), on_work: Sequence[Callable[[], None]] = ()) -> None:
        self._admin_emails = tuple(admin_emails)
        self._on_work = tuple(on_work)
        self._wake = asyncio.Event()
        self._known = START
        """The stored cursor, as far as this process knows."""
        self._seen = START
        """The cursor up to which nothing is left to do. It is ahead of the stored one after entries without recipients."""
        self._stored_at = 0.0
        self._has_recipients = True

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Dispatch during the block."""
        stop_listening = outbox.listen(self._wake.set)
        tasks = [asyncio.create_task(self._tail()), asyncio.create_task(self._check_periodically())]
        try:
            yield
        finally:
            stop_listening()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    @property
    def seen(self) -> Cursor:
        """The cursor up to which all entries are dispatched or have no recipient, as far as this process knows."""
        return self._seen

    async def _tail(self) -> None:
        while True:
            is_held_back = False
            try:
                self._wake.clear()
                while await self.step():
                    pass
                is_held_back = await outbox.held_back(self._seen)
            except Exception as error:
                status.log_failure(log, "dispatching the outbox failed; retrying", error)
            await asyncio.sleep(_SECONDS_TO_GATHER if self._has_recipients else _SECONDS_WHILE_UNUSED)
            # Not wait_for: on Python 3.11 it may lose a cancellation that coincides with a wake-up.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_SECONDS_WHILE_HELD_BACK if is_held_back else _SECONDS_BETWEEN_POLLS):
                    await self._wake.wait()

    async def step(self) -> bool:
        """Dispatch the next entries. Returns False if there are none."""
        await self._read_cursor()
        # Read the end first: recipients that are added later start after it.
        end = await outbox.latest()
        if end != self._seen and not await outbox.has(self._seen):
            # The database was restored together with its cursor, so the entries that this process has seen are gone.
            if self._seen != self._known:
                log.warning("dispatching from the stored cursor: the database was restored from a backup")
            self._seen = self._known
        if end.place <= self._seen.place:
            return False
        self._has_recipients = bool(self._admin_emails) or await dispatch.wanted()
        if not self._has_recipients:
            await self._skip(end)
            return False
        entries = await outbox.after(self._seen, _ENTRIES_PER_READ)
        if entries:
            await self._notify_waiting(entries)
            await self._dispatch(entries)
        return bool(entries)

    async def _read_cursor(self) -> None:
        """Read the cursor, which other processes advance as well."""
        before, self._known = self._known, await dispatch.begin()
        # A cursor that went back was restored, or lost in a failover, together with the deliveries up to it.
        self._seen = self._known if self._known < before else max(self._seen, self._known)

    async def _skip(self, end: Cursor) -> None:
        """Advance mostly in memory: with a single writer, a write per order would be expensive."""
        self._seen = end
        loop = asyncio.get_running_loop()
        if loop.time() - self._stored_at >= _SECONDS_BETWEEN_CURSOR_WRITES:
            self._stored_at = loop.time()
            await transactions.run(lambda: self._advance(end))

    async def _dispatch(self, entries: Sequence[Entry]) -> None:
        deliveries, letters = await self._deliveries(entries), await self._letters(entries)
        end = entries[-1].cursor
        if not deliveries and not letters:
            await self._skip(end)
            return

        async def work() -> None:
            if await self._advance(end):
                await webhooks.add(deliveries)
                await mail.queue.add(letters)

        await transactions.run(work)
        self._announce_work()

    async def _advance(self, end: Cursor) -> bool:
        """Advance the stored cursor. Returns False if another process did, or if the database lost the entry since it was
        read, as a standby may that takes over: new entries before a lost cursor would be skipped."""
        return await outbox.has(end) and await dispatch.advance(self._known, end)

    def _announce_work(self) -> None:
        for call in self._on_work:
            call()

    async def _deliveries(self, entries: Sequence[Entry]) -> list[WebhookDelivery]:
        """A message for each endpoint that subscribes to it and existed before the entry."""
        endpoints = await webhooks.active()
        wanted = {topic for endpoint in endpoints for topic in endpoint.topics}
        known = ((entry, topic) for entry in entries for topic in rules.topics_of(entry.topic, entry.data))
        subscribed = [(entry, topic) for entry, topic in known if topic in wanted]
        messages = await payloads.messages(subscribed) if subscribed else []
        at = clock.now()
        return [
            rules.new_delivery(
                endpoint.id, message.about, f"msg_{secrets.token_hex(16)}", message.topic, message.body, at
            )
            for (entry, _), message in zip(subscribed, messages, strict=True)
            for endpoint in endpoints
            if endpoint.wants(message.topic, message.concerns) and entry.cursor.place > endpoint.since
        ]

    async def _letters(self, entries: Sequence[Entry]) -> list[Letter]:
        """An email to each administrator for each raised alert."""
        raised = [entry.subject for entry in entries if entry.topic is Topic.ALERT and rules.is_raised(entry.data)]
        found = await alerts.alerts(raised) if self._admin_emails else {}
        at = clock.now()
        return [
            new_letter(recipient, f"{recipient}/item:{alert.item_id}", secrets.token_hex(16), at, alert_id=alert.id)
            for alert in (found[alert_id] for alert_id in raised if alert_id in found)
            for recipient in self._admin_emails
        ]

    async def _notify_waiting(self, entries: Sequence[Entry]) -> None:
        """Queue emails to subscribers of items that the stock changes in these entries brought back.

        Call before the cursor advances: if this process dies in between, the items are found again. Nobody gets two emails.
        """
        levels = {entry.subject for entry in entries if entry.topic is Topic.LEVEL}
        if levels:
            items = await commands.items_of_levels(levels)
            await self._queue(await back_in_stock.pairs(set(items.values())))

    async def _queue(self, pairs: set[Pair]) -> None:
        for pair in await services.back(pairs) if pairs else []:
            while await _queue_letters(pair) == _LETTERS_PER_TRANSACTION:
                pass
            self._announce_work()

    async def _check_periodically(self) -> None:
        """Check periodically for items that something other than a stock change has brought back."""
        while True:
            await asyncio.sleep(_CHECK_INTERVAL.total_seconds() / 4)
            try:
                if await dispatch.wanted() and await self.has_check():
                    await self.check()
            except Exception as error:
                status.log_failure(log, "checking for items back in stock failed; retrying", error)

    async def has_check(self) -> bool:
        """Whether the check is due and this process has claimed it."""
        return await transactions.run(lambda: dispatch.take_check(clock.now(), _CHECK_INTERVAL))

    async def check(self) -> None:
        """Queue emails to all subscribers whose item is back, for whatever reason."""
        await back_in_stock.end_for_deleted()
        await self._queue(await back_in_stock.pairs())


async def _queue_letters(pair: Pair) -> int:
    """Queue emails to the subscribers of an item, in batches, so transactions stay short. Returns the size of the batch."""

    async def work() -> int:
        await dispatch.lock()
        at = clock.now()
        waiting = await back_in_stock.waiting(pair, _LETTERS_PER_TRANSACTION)
        letters = [
            new_letter(each.email, f"subscription:{each.id}", secrets.token_hex(16), at, subscription_id=each.id)
            for each in waiting
        ]
        await mail.queue.add(letters)
        return len(letters)

    return await transactions.run(work)
