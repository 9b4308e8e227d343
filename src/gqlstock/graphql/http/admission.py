"""Admission: identifies callers by token, and limits requests without a token, wrong tokens, and open subscriptions.

Requests with a valid token are not counted. Tokens from an address with too many wrong ones are rejected without a lookup
for a while. Tokens that were valid recently are exempt, so an attacker cannot lock out others behind the same address.
"""

import contextlib
import math
import time
from collections import Counter as Counts
from collections import OrderedDict
from collections.abc import Iterator
from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from typing import Protocol, TypeVar

from gqlstock.graphql.errors import TooManySubscriptions
from gqlstock.graphql.http.callers import Callers
from gqlstock.graphql.http.requests import RequestError
from gqlstock.rules.limits import Limits, PublicRate, Rate
from gqlstock.rules.scopes import Caller

K = TypeVar("K")
V = TypeVar("V")

_REMEMBERED = 10_000
_UNCOUNTED = "uncounted"
"""The shared key of addresses that have no limit of their own."""
_UNKNOWN = "The token is unknown, expired or revoked."
_CHALLENGE = {"www-authenticate": "Bearer"}


class Counter(Protocol):
    async def hit(self, kind: str, address: str, rate: Rate) -> float | None:
        """Count one request. The seconds that the address has to wait; None if it is within the rate."""


class Admission:
    def __init__(self, callers: Callers, counter: Counter, rate: PublicRate, limits: Limits | None = None) -> None:
        self._callers = callers
        self._counter = counter
        self._rate = rate
        self._limits = limits or Limits()
        self._subscriptions: dict[bool, Counts[str]] = {True: Counts(), False: Counts()}
        """Open subscriptions by address, of authenticated callers (True) and of the public (False)."""
        self._barred: OrderedDict[str, float] = OrderedDict()
        self._good: OrderedDict[int, None] = OrderedDict()

    async def admit(self, authorization: str | None, host: str | None) -> Caller:
        """The caller. Refuses an unknown token with 401, and too many requests with 429."""
        if not authorization:
            await self.count(host)
            caller = await self._callers.caller(None)
            assert caller is not None
            return caller
        address = self.address(host)
        if address is not None and self._barred_for(address) > 0 and hash(authorization) not in self._good:
            raise _too_often(self._barred_for(address), "wrong tokens")
        caller = await self._callers.caller(authorization)
        if caller is None:
            await self._count_wrong(address)
            raise RequestError(401, _UNKNOWN, "UNAUTHENTICATED", _CHALLENGE)
        _remember(self._good, hash(authorization), None)
        return caller

    async def count(self, host: str | None) -> None:
        """Count one operation without a token."""
        address = self.address(host)
        wait = await self._counter.hit("public", address, self._rate.requests) if address is not None else None
        if wait is not None:
            raise _too_often(wait, "requests without a token")

    @contextlib.contextmanager
    def subscribed(self, caller: Caller, host: str | None) -> Iterator[None]:
        """Count a subscription while it is open. Refuses it if there are too many.

        Authenticated and public subscriptions are counted separately, so the public cannot use up the limit of others.
        """
        address = self.address(host)
        lasting = self._subscriptions[caller.authenticated]
        limits = self._limits.of(authenticated=caller.authenticated)
        if address is not None and lasting[address] >= limits.subscriptions_of_address:
            raise _too_many("Your address has", limits.subscriptions_of_address, caller)
        if lasting.total() >= limits.subscriptions:
            raise _too_many("This server has", limits.subscriptions, caller)
        counted = address or _UNCOUNTED
        lasting[counted] += 1
        try:
            yield
        finally:
            lasting[counted] -= 1
            if not lasting[counted]:
                del lasting[counted]

    async def _count_wrong(self, address: str | None) -> None:
        wait = await self._counter.hit("wrong", address, self._rate.wrong_tokens) if address is not None else None
        if address is not None and wait is not None:
            _remember(self._barred, address, time.monotonic() + wait)
            raise _too_often(wait, "wrong tokens")

    def _barred_for(self, address: str) -> float:
        return self._barred.get(address, 0.0) - time.monotonic()

    def address(self, host: str | None) -> str | None:
        """The address to count by: an IPv4 address, or the /64 network of an IPv6 one. None: not counted."""
        address, is_this_machine = _parsed(host or "")
        return None if is_this_machine and not self._rate.this_machine else address


@lru_cache(maxsize=_REMEMBERED)
def _parsed(host: str) -> tuple[str | None, bool]:
    """A host's address to count by, and whether it is this machine. Names are not counted."""
    try:
        address = ip_address(host)
    except ValueError:
        return None, False
    if not isinstance(address, IPv6Address):
        return str(address), address.is_loopback
    return str(address.ipv4_mapped or IPv6Address(int(address) >> 64 << 64)), address.is_loopback


def _too_often(wait: float, what: str) -> RequestError:
    seconds = math.ceil(wait)
    message = f"Too many {what} from this address. Try again in {seconds} seconds."
    return RequestError(429, message, "TOO_MANY_REQUESTS", {"retry-after": str(seconds)})


def _too_many(whose: str, most: int, caller: Caller) -> TooManySubscriptions:
    how = "with a token" if caller.authenticated else "without a token"
    return TooManySubscriptions(f"{whose} {most} open subscriptions {how}, the maximum. End one or try again later.")


def _remember(known: "OrderedDict[K, V]", key: K, value: V) -> None:
    known[key] = value
    known.move_to_end(key)
    if len(known) > _REMEMBERED:
        known.popitem(last=False)
