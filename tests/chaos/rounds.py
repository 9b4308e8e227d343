"""A round: one fault under load, and the checks afterwards."""

import asyncio
import random
import time
from dataclasses import dataclass, field

from chaos import deliveries, followers, tail
from chaos.deliveries import Delivered
from chaos.faults import Context, Fault
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
# Seconds of load before and after the fault.
_WARM_UP = 1.0
_MAX_SHOWN = 8
# Each unanswered call may double the number of serial orders to try, however few calls there are.
_BACKTRACKS = 200_000
# Their stock runs low repeatedly. Each time, an email is sent.
_LOW_STOCK_GROUPS = ("counted", "rare")


@dataclass
class Outcome:
    """``recovered``: the seconds from the end of the fault to the next confirmed mutation."""

    fault: str
    description: str = ""
    calls: int = 0
    confirmed: int = 0
    unanswered: int = 0
    recovered: float = 0.0
    resumed: int = 0
    delivered: Delivered = field(default_factory=Delivered)
    seconds: float = 0.0
    lost: int = 0
    """The number of confirmed calls that the promoted standby did not have."""
    refused: int = 0
    """The number of cursors that were refused with INVALID_CURSOR."""
    problems: list[str] = field(default_factory=list)


async def run(site: Site, fault: Fault, seconds: float, seed: int) -> Outcome:
    """Inject a fault for some seconds, and check the result."""
    began, chance = time.monotonic(), random.Random(seed)
    site.loads += 1
    load = Load(site.servers, site.token, f"{fault.name}{site.loads}", seed, all_keyed=fault.may_lose)
    context, outcome = Context(site, load, seconds, chance), Outcome(fault.name)
    async with site.open():
        start = await prepare(load)
        following = followers.followers(site.servers, site.token, chance)
        await asyncio.gather(*(follower.start() for follower in following))
        load.start()
        try:
            await asyncio.sleep(_WARM_UP)
            outcome.description = await fault.inject(context)
            outcome.recovered = await load.confirmed_after(context.over_at or time.monotonic(), _PATIENCE)
            await asyncio.sleep(_WARM_UP)
        except AssertionError as error:
            outcome.problems.append(str(error))
        finally:
            await load.stop()
    # The fault may have broken this process's connections, too. Open new ones.
    async with site.open():
        await asyncio.gather(*map(server_processes.ready, site.servers))
        outcome.problems += await _check_history(load, context, outcome)
        outcome.problems += [f"verify: {difference}" for difference in (await verification.verify())[:_MAX_SHOWN]]
        outcome.problems += await followers.problems(following, start, _PATIENCE, may_lose=fault.may_lose)
        outcome.delivered = await deliveries.delivered(site, start, _PATIENCE)
    await asyncio.gather(*(follower.stop() for follower in following))
    outcome.problems += outcome.delivered.problems
    outcome.calls, outcome.confirmed = len(load.record.calls), len(load.record.confirmed)
    outcome.unanswered = sum(call.optional for call in load.record.calls)
    outcome.refused = sum(segment.refused for follower in following for segment in follower.segments)
    outcome.resumed = sum(follower.resumed for follower in following)
    outcome.seconds = time.monotonic() - began
    return outcome


async def prepare(load: Load) -> Cursor:
    """Create the items of a load. Returns the cursor of the latest event."""
    await load.stock()
    for name in _LOW_STOCK_GROUPS:
        for sku in load.groups[name].rules:
            await make.setting(product=sku, notify_below=2)
    await settled()
    return await outbox.latest()


async def _check_history(load: Load, context: Context, outcome: Outcome) -> list[str]:
    """How the database contradicts the answers to the calls."""
    evidence = await transactions.at_one_moment(lambda: _read_evidence(load))
    calls, found = load.record.calls, load.record.unexpected
    if context.tail is not None:
        split = tail.split(calls, evidence, context.tail)
        calls, outcome.lost = split.kept, len(split.lost)
        found += split.problems
        if not split.lost:
            found.append("the standby lacked no confirmed call, so the round proves nothing")
    # In a thread, because the proxy runs in this process's event loop.
    verdicts = await asyncio.to_thread(check, calls, load.groups, evidence, _BACKTRACKS)
    return found + [f"{one.group}: {problem}" for one in verdicts for problem in one.problems[:_MAX_SHOWN]]


async def _read_evidence(load: Load) -> dict[str, stock_evidence.Evidence]:
    return {name: await stock_evidence.read(group.rules, load.label) for name, group in load.groups.items()}
