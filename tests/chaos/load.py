"""Clients that continue through faults. Unanswered calls are recorded as such, and may be retried with the same key."""

import asyncio
import contextlib
import random
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from support import stock_load
from support.history import UNANSWERED, Call, Group
from support.plain_http import PlainClient
from support.server_processes import Server
from support.stock_clients import ErrorAnswer, Recorder, Shelf
from support.stock_shoppers import Shopper

CLIENTS = 24
# The mutations that take an idempotency key.
_KEYED = (
    "adjust",
    "count",
    "transfer",
    "announce",
    "receive",
    "hold",
    "place",
    "edit",
    "move",
    "cancel",
    "take_back",
    "pack",
)
# Without a key, it is unknown afterwards whether an unanswered one of these happened.
_UNTRACED = ("announce", "hold", "edit", "move", "cancel", "take_back", "pack")
_CHANCE_OF_KEY = 0.7
_CHANCE_OF_RETRY = 0.8
_RETRIES = 3
_PATIENCE = 6.0
# Errors that are expected during a fault.
_EXPECTED_CODES = ("INTERNAL", "UNAVAILABLE")
# An expiry is not a mutation. Counts as of an earlier moment need a steady clock.
_EXCLUDED = ("expire", "count_late")
CHANCES: Mapping[str, Mapping[str, int]] = {
    group: {step: weight for step, weight in steps.items() if step not in _EXCLUDED}
    for group, steps in stock_load.CHANCES.items()
}


class NoAnswer(Exception):
    """A call was answered with an error or not at all. It may have happened, or may still happen."""

    def __init__(self, call: Call) -> None:
        self.call = call
        super().__init__(str(call))


@dataclass
class RetryingRecorder(Recorder):
    """Times out calls, and retries those with a key. ``all_keyed``: whether every mutation that supports a key gets one."""

    all_keyed: bool = False
    confirmed: list[float] = field(default_factory=list)
    """When mutations were confirmed."""
    failures: Counter[str] = field(default_factory=Counter)
    """The number of failed calls by error code or exception type."""
    running: int = 0
    histories: int = 1
    """Increases when the database may have lost objects that clients know."""

    def _takes_key(self, name: str) -> bool:
        if name not in _KEYED:
            return False
        return self.all_keyed or name in _UNTRACED or self.chance.random() < _CHANCE_OF_KEY

    @property
    def unexpected(self) -> list[str]:
        return [
            f"calls were answered with {code}"
            for code in self.failures
            if code.isupper() and code not in _EXPECTED_CODES
        ]

    async def _send(self, call: Call, asked: dict[str, Any], at: int) -> Call:
        known = self.histories
        for attempt in range(_RETRIES + 1):
            try:
                answered = await super()._send(call, asked, at + attempt)
            except NoAnswer:
                if call.key is None or self.over or attempt == _RETRIES or self.chance.random() > _CHANCE_OF_RETRY:
                    raise
                await asyncio.sleep(self.chance.uniform(0.05, 0.5))
                if self.histories != known:
                    raise  # The objects that it names may be lost.
                call = Call(call.group, call.name, call.given, call.tag, call.key)
            else:
                if not answered.refusals:
                    self.confirmed.append(answered.end)
                return answered
        raise AssertionError("unreachable")

    async def _post(self, call: Call, at: int, query: str, variables: dict[str, Any]) -> dict[str, Any]:
        self.running += 1
        try:
            async with asyncio.timeout(_PATIENCE):
                data = await super()._post(call, at, query, variables)
            if _is_lost(data):
                call.end = UNANSWERED
                raise NoAnswer(call)
            return data
        except ErrorAnswer as error:
            for one in error.args[0]["errors"]:
                self.failures[one.get("extensions", {}).get("code", one.get("message", "ERROR"))] += 1
            raise NoAnswer(call) from error
        except (OSError, TimeoutError, asyncio.IncompleteReadError, ValueError) as error:
            self.failures[type(error).__name__] += 1
            raise NoAnswer(call) from error
        finally:
            self.running -= 1

    async def announced(self, tag: str) -> int | None:
        # The database may be unavailable. The checker finds the announcement later.
        with contextlib.suppress(Exception):
            async with asyncio.timeout(_PATIENCE):
                return await super().announced(tag)
        return None


def _is_lost(data: Mapping[str, Any]) -> bool:
    """Whether a mutation succeeded, but the database lost its object before it was read for the answer."""
    return any(
        payload is not None and payload.get("userErrors") == [] and payload.get("shipment", "") is None
        for payload in data.values()
    )


class RetryingShopper(Shopper):
    async def work(self) -> None:
        while not self._record.over:
            try:
                await self.step()
            except NoAnswer:
                await asyncio.sleep(self._chance.uniform(0.05, 0.3))

    async def update(self, shelf: Shelf) -> None:
        """Stop using an announcement after an unanswered update: its final state then shows whether that update happened."""
        try:
            await super().update(shelf)
        except NoAnswer as unknown:
            shelf.announcements[:] = [one for one in shelf.announcements if one[0] != unknown.call.given["id"]]
            raise


class Load:
    """Clients that change their own set of items, from ``start`` until ``stop``. ``label``: unique per database."""

    def __init__(self, servers: list[Server], token: str, label: str, seed: int, *, all_keyed: bool = False) -> None:
        self.groups: dict[str, Group] = {}
        self.shelves: list[Shelf] = []
        self.label = label
        self._http = PlainClient(token)
        self.record = RetryingRecorder(
            self._http, servers, random.Random(seed), until=float("inf"), label=label, all_keyed=all_keyed
        )
        self._working: list[asyncio.Task[None]] = []

    async def stock(self) -> None:
        """Create the items. The database must be open."""
        items = {
            name: {f"{sku}-{self.label.upper()}": rules for sku, rules in group.items()}
            for name, group in stock_load.GROUPS.items()
        }
        self.groups = await stock_load.stock(items)
        self.shelves = [Shelf(name, group) for name, group in self.groups.items()]

    def start(self, clients: int = CLIENTS) -> None:
        self._working = [
            asyncio.create_task(RetryingShopper(self.record, self.shelves, CHANCES, 12).work()) for _ in range(clients)
        ]

    def forget(self) -> None:
        """Make clients forget their orders, shipments, holds and announcements, which the database may have lost."""
        self.record.histories += 1
        for shelf in self.shelves:
            for known in (shelf.orders, shelf.shipments, shelf.holds, shelf.announcements):
                known.clear()
            shelf.on_hand.clear()

    async def stop(self) -> None:
        """Stop the clients, and wait for the last answers."""
        self.record.until = 0
        await asyncio.gather(*self._working)
        while self.record.running:
            await asyncio.sleep(0.02)
        with contextlib.suppress(OSError):
            await self._http.close()

    def keyed_since(self, moment: float) -> int:
        """The number of confirmed calls with a key that began after a moment."""
        return sum(call.key is not None and call.refusals == () and call.start > moment for call in self.record.calls)

    async def confirmed_after(self, moment: float, patience: float) -> float:
        """Wait until a mutation is confirmed after a moment. Returns the seconds between the two."""
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            later = [end for end in self.record.confirmed if end > moment]
            if later:
                return min(later) - moment
            await asyncio.sleep(0.02)
        raise AssertionError(f"no mutation was confirmed within {patience:.0f} seconds: {dict(self.record.failures)}")


async def last_cursor(server: Server, token: str) -> str:
    """The cursor of the latest stock change."""
    query = "{ inventoryChanges(last: 1) { pageInfo { endCursor } } }"
    async with httpx.AsyncClient(verify=False, headers={"authorization": f"Bearer {token}"}, timeout=5) as http:
        answer = (await http.post(server.url, json={"query": query})).json()
    cursor: str = answer["data"]["inventoryChanges"]["pageInfo"]["endCursor"]
    return cursor
