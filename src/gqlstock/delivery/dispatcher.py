"""Turns news into work, each entry of the outbox exactly once: webhooks, mail to administrators, letters to who waits.

Any number of processes do it. Each works out what follows from the next entries and writes that in the transaction
that moves the one cursor on from where it was: whoever comes second moves nothing and writes nothing.
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
from gqlstock.store import alerts, back_in_stock, commands, dispatch, mail, outbox, webhooks
from gqlstock.store.back_in_stock import Pair
from gqlstock.store.db import clock, transactions

log = logging.getLogger(__name__)

_PART = 500
_LETTERS_AT_ONCE = 500
_SECONDS_BETWEEN_LOOKS = 1.0
_SECONDS_TO_GATHER = 0.02
_SECONDS_WHILE_UNWANTED = 0.5
_SECONDS_WHILE_HELD_BACK = 0.05
# Behind news that nobody wants the cursor moves in memory, and now and then in the database for the sweep behind it.
_SECONDS_BETWEEN_NOTES = 5.0
# A setting or a status may bring an item back as well; a minute is promised.
_CHECKED_EVERY = timedelta(seconds=20)


class Dispatcher:
    """``made`` is called when there is new work."""

    def __init__(self, admin_emails: Sequence[str] = (), made: Sequence[Callable[[], None]] = ()) -> None:
        self._admin_emails = tuple(admin_emails)
        self._made = tuple(made)
        self._wake = asyncio.Event()
        self._known = START
        """Where the cursor is in the database, as far as this process knows."""
        self._seen = START
        """Up to where there is nothing to do; ahead of the cursor when nobody wanted that news."""
        self._noted = 0.0
        self._wanted = True

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Dispatch for the block."""
        stop_listening = outbox.listen(self._wake.set)
        tasks = [asyncio.create_task(self._tail()), asyncio.create_task(self._check_again())]
        try:
            yield
        finally:
            stop_listening()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    @property
    def seen(self) -> Cursor:
        """Up to where everything has become work, or was wanted by nobody, as far as this process knows."""
        return self._seen

    async def _tail(self) -> None:
        while True:
            soon = False
            try:
                self._wake.clear()
                while await self.step():
                    pass
                soon = await outbox.held_back(self._seen)
            except Exception:
                log.exception("the outbox could not be dispatched; trying again")
            await asyncio.sleep(_SECONDS_TO_GATHER if self._wanted else _SECONDS_WHILE_UNWANTED)
            # Not wait_for, which on Python 3.11 may lose the cancellation that comes together with a wake-up.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_SECONDS_WHILE_HELD_BACK if soon else _SECONDS_BETWEEN_LOOKS):
                    await self._wake.wait()

    async def step(self) -> bool:
        """Turn the next entries into work; False when there are none."""
        await self._look_up()
        # The end first: whoever begins to want news after that begins behind it.
        end = await outbox.latest()
        if end != self._seen and not await outbox.has(self._seen):
            # The database was restored, and its cursor with it: what this process has seen is no longer there.
            if self._seen != self._known:
                log.warning("the outbox is dispatched from the stored cursor: the database was restored from a backup")
            self._seen = self._known
        if end.place <= self._seen.place:
            return False
        self._wanted = bool(self._admin_emails) or await dispatch.wanted()
        if not self._wanted:
            await self._pass_over(end)
            return False
        part = await outbox.after(self._seen, _PART)
        if part:
            await self._tell_who_waits(part)
            await self._dispatch(part)
        return bool(part)

    async def _look_up(self) -> None:
        """Read the cursor, which other processes move as well."""
        self._known = await dispatch.begin()
        self._seen = max(self._seen, self._known)

    async def _pass_over(self, end: Cursor) -> None:
        """Go on without having written anything: a write for each order would be dear where one writer has its turn."""
        self._seen = end
        loop = asyncio.get_running_loop()
        if loop.time() - self._noted >= _SECONDS_BETWEEN_NOTES:
            self._noted = loop.time()
            await transactions.run(lambda: dispatch.advance(self._known, end))

    async def _dispatch(self, part: Sequence[Entry]) -> None:
        deliveries, letters = await self._deliveries(part), await self._letters(part)
        end = part[-1].cursor
        if not deliveries and not letters:
            await self._pass_over(end)
            return

        async def work() -> None:
            if await dispatch.advance(self._known, end):
                await webhooks.add(deliveries)
                await mail.queue.add(letters)

        await transactions.run(work)
        self._tell_made()

    def _tell_made(self) -> None:
        for call in self._made:
            call()

    async def _deliveries(self, part: Sequence[Entry]) -> list[WebhookDelivery]:
        """A message for each endpoint that wants it and was there before the news."""
        endpoints = await webhooks.active()
        wanted = {topic for endpoint in endpoints for topic in endpoint.topics}
        known = ((entry, topic) for entry in part for topic in rules.topics_of(entry.topic, entry.data))
        told = [(entry, topic) for entry, topic in known if topic in wanted]
        messages = await payloads.messages(told) if told else []
        at = clock.now()
        return [
            rules.new_delivery(
                endpoint.id, message.about, f"msg_{secrets.token_hex(16)}", message.topic, message.body, at
            )
            for (entry, _), message in zip(told, messages, strict=True)
            for endpoint in endpoints
            if message.topic in endpoint.topics and entry.cursor.place > endpoint.since
        ]

    async def _letters(self, part: Sequence[Entry]) -> list[Letter]:
        """A letter to each administrator for each alert that was raised."""
        raised = [entry.subject for entry in part if entry.topic is Topic.ALERT and rules.is_raised(entry.data)]
        found = await alerts.alerts(raised) if self._admin_emails else {}
        at = clock.now()
        return [
            new_letter(recipient, f"{recipient}/item:{alert.item_id}", secrets.token_hex(16), at, alert_id=alert.id)
            for alert in (found[alert_id] for alert_id in raised if alert_id in found)
            for recipient in self._admin_emails
        ]

    async def _tell_who_waits(self, part: Sequence[Entry]) -> None:
        """Write to those who wait for what the stock in these entries brought back.

        Before the cursor moves on: should this process die in between, it is found again, and nobody is written to twice.
        """
        levels = {entry.subject for entry in part if entry.topic is Topic.LEVEL}
        if levels:
            items = await commands.items_of_levels(levels)
            await self._queue(await back_in_stock.pairs(set(items.values())))

    async def _queue(self, pairs: set[Pair]) -> None:
        for pair in await services.back(pairs) if pairs else []:
            while await _queue_letters(pair) == _LETTERS_AT_ONCE:
                pass
            self._tell_made()

    async def _check_again(self) -> None:
        """Look from time to time whether something else than stock has brought back what somebody waits for."""
        while True:
            await asyncio.sleep(_CHECKED_EVERY.total_seconds() / 4)
            try:
                if await dispatch.wanted() and await self.has_check():
                    await self.check()
            except Exception:
                log.exception("what is back in stock could not be checked; trying again")

    async def has_check(self) -> bool:
        """Whether it is time to look again, and this process's turn."""
        return await transactions.run(lambda: dispatch.take_check(clock.now(), _CHECKED_EVERY))

    async def check(self) -> None:
        """Write to everybody whose item is back, whatever has brought it back."""
        await back_in_stock.end_for_deleted()
        await self._queue(await back_in_stock.pairs())


async def _queue_letters(pair: Pair) -> int:
    """Put letters to those who wait for an item into the post; in parts, so that no transaction is long."""

    async def work() -> int:
        await dispatch.lock()
        at = clock.now()
        waiting = await back_in_stock.waiting(pair, _LETTERS_AT_ONCE)
        letters = [
            new_letter(one.email, f"subscription:{one.id}", secrets.token_hex(16), at, subscription_id=one.id)
            for one in waiting
        ]
        await mail.queue.add(letters)
        return len(letters)

    return await transactions.run(work)
