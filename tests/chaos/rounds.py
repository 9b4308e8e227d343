"""One fault under load, and everything that must be true afterwards."""

import asyncio
import random
import time
from dataclasses import dataclass, field

from chaos import deliveries, followers, tail
from chaos.deliveries import Delivered
from chaos.faults import Fault, Given
from chaos.load import Load
from chaos.site import Site
from gqlstock.rules.feed import Cursor
from gqlstock.services import verification
from gqlstock.store import outbox
from gqlstock.store.db import transactions
from support import server_processes, stock_evidence
from support import shop_builders as make
from support.history import check
from support.settled_news import settled

_PATIENCE = 60.0
_WARM = 1.0
_SHOWN = 8
# Per call: each answer that was lost may double the orders to try.
_BACKTRACKS = 100
# These run low again and again, and each time a letter is written.
_WATCHED = ("counted", "rare")


@dataclass
class Outcome:
    """``recovered``: the seconds from the end of the fault to the next confirmed mutation."""

    fault: str
    did: str = ""
    calls: int = 0
    confirmed: int = 0
    unanswered: int = 0
    recovered: float = 0.0
    resumed: int = 0
    delivered: Delivered = field(default_factory=Delivered)
    took: float = 0.0
    lost: int = 0
    """Confirmed calls that an asynchronous standby did not have."""
    refused: int = 0
    """How often a subscriber's cursor was refused with INVALID_CURSOR."""
    problems: list[str] = field(default_factory=list)


async def run(site: Site, fault: Fault, seconds: float, seed: int) -> Outcome:
    """Make a fault for some seconds, and check."""
    began, chance = time.monotonic(), random.Random(seed)
    site.loads += 1
    load = Load(site.servers, site.token, f"{fault.name}{site.loads}", seed, all_keyed=fault.may_lose)
    given, outcome = Given(site, load, seconds, chance), Outcome(fault.name)
    async with site.open():
        start = await prepare(load)
        following = followers.followers(site.servers, site.token, chance)
        await asyncio.gather(*(follower.start() for follower in following))
        load.start()
        try:
            await asyncio.sleep(_WARM)
            outcome.did = await fault.make(given)
            outcome.recovered = await load.confirmed_after(given.over_at or time.monotonic(), _PATIENCE)
            await asyncio.sleep(_WARM)
        except AssertionError as error:
            outcome.problems.append(str(error))
        finally:
            await load.stop()
    # This process's connections were broken as well.
    async with site.open():
        await asyncio.gather(*map(server_processes.ready, site.servers))
        outcome.problems += await _history(load, given, outcome)
        outcome.problems += [f"verify: {difference}" for difference in (await verification.verify())[:_SHOWN]]
        outcome.problems += await followers.problems(following, start, _PATIENCE, may_lose=fault.may_lose)
        outcome.delivered = await deliveries.delivered(site, start, _PATIENCE)
    await asyncio.gather(*(follower.stop() for follower in following))
    outcome.problems += outcome.delivered.problems
    outcome.calls, outcome.confirmed = len(load.record.calls), len(load.record.confirmed)
    outcome.unanswered = sum(call.optional for call in load.record.calls)
    outcome.refused = sum(part.refused for follower in following for part in follower.parts)
    outcome.resumed = sum(follower.resumed for follower in following)
    outcome.took = time.monotonic() - began
    return outcome


async def prepare(load: Load) -> Cursor:
    """Create the items of a load. Returns the end of the news until then."""
    await load.stock()
    for name in _WATCHED:
        for sku in load.groups[name].rules:
            await make.setting(product=sku, notify_below=2)
    await settled()
    return await outbox.latest()


async def _history(load: Load, given: Given, outcome: Outcome) -> list[str]:
    """What contradicts the answers."""
    evidence = await transactions.at_one_moment(lambda: _evidence(load))
    calls, found = load.record.calls, load.record.unexpected
    if given.tail is not None:
        parts = tail.split(calls, evidence, given.tail)
        calls, outcome.lost = parts.there, len(parts.lost)
        found += parts.problems
        if not parts.lost:
            found.append("the standby had everything, so nothing was shown")
    # In a thread, so that the proxy of this process goes on.
    verdicts = await asyncio.to_thread(check, calls, load.groups, evidence, _BACKTRACKS)
    return found + [f"{one.group}: {problem}" for one in verdicts for problem in one.problems[:_SHOWN]]


async def _evidence(load: Load) -> dict[str, stock_evidence.Evidence]:
    return {name: await stock_evidence.read(group.rules, load.label) for name, group in load.groups.items()}
