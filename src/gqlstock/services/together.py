"""Changes of stock that are asked for at one moment, in one transaction: read together, claimed together, decided one
after the other, written together. Each has an outcome of its own; what one is refused touches no other."""

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from gqlstock.rules.catalog import Item
from gqlstock.rules.refusals import Refused
from gqlstock.rules.scopes import Caller
from gqlstock.services import idempotency
from gqlstock.services.availability import Stockroom, stockroom_to_claim
from gqlstock.services.idempotency import Kept
from gqlstock.services.posting import Pages
from gqlstock.services.queue import Queue
from gqlstock.store import catalog, database, inventory, warehouses
from gqlstock.store.idempotency import Ticket
from gqlstock.store.inventory import Claim

log = logging.getLogger(__name__)

_ATTEMPTS_TOGETHER = 2


@dataclass(slots=True)
class Stock:
    """What the calls of a group share: the items that they name by SKU, what those depend on, the claim on them."""

    items: Mapping[str, Item]
    room: Stockroom
    claim: Claim
    pages: Pages = field(default_factory=Pages)


class Change(Protocol):
    """A call that changes stock, in the steps in which a group does it."""

    caller: Caller
    ticket: Ticket | None
    """Its key; None for none."""

    @property
    def skus(self) -> Collection[str]:
        """The SKUs that it names."""

    def claims(self, items: Mapping[str, Item], room: Stockroom) -> Mapping[int, Item]:
        """The items whose stock it changes, by id. Refused for what is wrong with it as a whole."""

    async def decide(self, stock: Stock) -> Callable[[], Kept]:
        """Work it out and enter it; gives what tells the answer once it is written. Refused, it has entered nothing."""


async def do(change: Change) -> Kept:
    """Do it, together with what else is asked for at this moment: all of it or nothing."""
    return await _queue.do(change)


async def _group(changes: Sequence[Change]) -> Sequence[Kept | Exception]:
    if len(changes) > 1:
        try:
            return await _written(changes, _ATTEMPTS_TOGETHER)
        except Exception as error:
            # Whatever failed, it is the business of one of them: each by itself.
            log.info("%s changes could not be written together: %s", len(changes), error)
    return [await _alone(change) for change in changes]


async def _alone(change: Change) -> Kept | Exception:
    try:
        return (await _written([change]))[0]
    except Exception as error:
        return error


class _NothingToWrite(Exception):
    def __init__(self, outcomes: Sequence[Kept | Refused]) -> None:
        self.outcomes = outcomes


async def _written(changes: Sequence[Change], attempts: int = database.ATTEMPTS) -> Sequence[Kept | Refused]:
    try:
        return await database.transaction(lambda: _transaction(changes), attempts)
    except _NothingToWrite as refused:
        # A transaction that is taken back costs no commit: on a sale day most orders of what has run out are refused.
        return refused.outcomes


async def _transaction(changes: Sequence[Change]) -> Sequence[Kept | Refused]:
    tickets = [change.ticket for change in changes if change.ticket is not None]
    answered = await idempotency.claim(tickets)
    outcomes = {n: answered[change.ticket] for n, change in enumerate(changes) if change.ticket in answered}
    stock = await _stock(changes, outcomes)
    decided: dict[int, Callable[[], Kept]] = {}
    for number, change in enumerate(changes):
        if number not in outcomes:
            try:
                decided[number] = await change.decide(stock)
            except Refused as refused:
                outcomes[number] = refused
    if not decided:
        raise _NothingToWrite([outcomes[number] for number in range(len(changes))])
    await stock.pages.write()
    outcomes |= {number: kept() for number, kept in decided.items()}
    used = ((change.ticket, outcomes[number]) for number, change in enumerate(changes))
    await idempotency.settle({ticket: outcome for ticket, outcome in used if ticket and ticket not in answered})
    return [outcomes[number] for number in range(len(changes))]


async def _stock(changes: Sequence[Change], outcomes: dict[int, Kept | Refused]) -> Stock:
    """Read what those changes need that have no outcome yet, and claim what they change."""
    left = {number: change for number, change in enumerate(changes) if number not in outcomes}
    network = await warehouses.network()
    items = await catalog.by_sku({sku for change in left.values() for sku in change.skus})
    room = await stockroom_to_claim(items.values(), network)
    wanted: dict[int, Item] = {}
    for number, change in left.items():
        try:
            wanted |= change.claims(items, room)
        except Refused as refused:
            outcomes[number] = refused
    return Stock(items, room, await inventory.claim(wanted, wanted))


_queue: Queue[Change, Kept] = Queue(
    _group, lambda change: change.ticket.place if change.ticket else None, lambda change: len(change.skus)
)
