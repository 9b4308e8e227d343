"""A round: one fault under load, and the checks afterwards."""

import asyncio
import random
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from chaos import deliveries, followers, tail
from chaos.deliveries import Delivered, Start
from chaos.faults import Context, Fault
from chaos.followers import Follower
from chaos.load import Load
from chaos.machines import Missing
from chaos.site import Site
from gqlstock.services import verification
from gqlstock.store.db import transactions
from support import saved_history, server_processes, stock_evidence
from support import shop_builders as make
from support.history import check
from support.server_processes import PATIENCE
from support.settled_news import settled
from support.stock_evidence import Evidence

# Seconds of load before and after the fault.
_WARM_UP = 1.0
_MAX_SHOWN = 8
# Each unanswered call may double the number of serial orders to try, however few calls there are.
_MAX_BACKTRACKS = 200_000
# Their stock runs low repeatedly. Each time, an email is sent.
_LOW_STOCK_GROUPS = ("counted", "rare")


@dataclass
class Outcome:
    """``recovered``: the seconds from the end of the fault until each server has confirmed a mutation."""

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
    undecided: list[str] = field(default_factory=list)
    """The groups of items for which the search for a serial order gave up."""
    notes: list[str] = field(default_factory=list)


async def run(site: Site, fault: Fault, seconds: float, seed: int) -> Outcome:
    """Inject a fault for some seconds, and check the result. Raises ``Missing`` if this machine lacks something for it."""
    began, chance = time.monotonic(), random.Random(seed)
    site.loads += 1
    load = Load(site.servers, site.token, f"{fault.name}{site.loads}", seed, may_lose=fault.may_lose)
    context, outcome = Context(site, load, seconds, chance), Outcome(fault.name)
    following = followers.followers(site.servers, site.token, chance)
    try:
        async with site.open():
            await prepare(load)
            start = await Start.now(site)
            await asyncio.gather(*(follower.start() for follower in following))
            await _inject(fault, context, outcome)
        # The fault may have broken this process's connections, too. Open new ones.
        async with site.open():
            await asyncio.gather(*map(server_processes.ready, site.servers))
            await _check(context, outcome, following, start, seed)
    except Missing:
        raise
    except Exception as error:
        outcome.problems.append(_text(error))
    finally:
        await asyncio.gather(*(follower.stop() for follower in following))
    outcome.calls, outcome.confirmed = len(load.record.calls), len(load.record.confirmed)
    outcome.unanswered = sum(call.optional for call in load.record.calls)
    outcome.refused = sum(segment.refused for follower in following for segment in follower.segments)
    outcome.resumed = sum(follower.resumed for follower in following)
    outcome.seconds = time.monotonic() - began
    return outcome


async def prepare(load: Load) -> None:
    """Create the items of a load."""
    await load.stock()
    for name in _LOW_STOCK_GROUPS:
        for sku in load.groups[name].rules:
            await make.setting(product=sku, notify_below=2)
    await settled()


async def _inject(fault: Fault, context: Context, outcome: Outcome) -> None:
    """Run the load before, during and after the fault. After it, all calls must be answered."""
    load, recovered_at = context.load, None
    load.start()
    try:
        await asyncio.sleep(_WARM_UP)
        outcome.description = await fault.inject(context)
        over_at = context.over_at or time.monotonic()
        outcome.recovered = await load.recovered_after(over_at, PATIENCE)
        recovered_at = over_at + outcome.recovered
        await asyncio.sleep(_WARM_UP)
    except Missing:
        raise
    except Exception as error:
        outcome.problems.append(_text(error))
    finally:
        outcome.problems += await load.stop()
    if recovered_at is not None:
        unanswered = load.unanswered_since(recovered_at)
        outcome.problems += [f"after the recovery: {one}" for one in unanswered[:_MAX_SHOWN]]
    if left := await context.site.transactions_left():
        outcome.problems.append(f"{left} transactions are open and idle")


async def _check(context: Context, outcome: Outcome, following: Sequence[Follower], start: Start, seed: int) -> None:
    evidence = await transactions.at_one_moment(lambda: _read_evidence(context.load))
    await _check_history(context, outcome, evidence, seed)
    outcome.problems += [f"verify: {difference}" for difference in (await verification.verify())[:_MAX_SHOWN]]
    final = None if context.load.record.may_lose else list(evidence.values())
    outcome.problems += await followers.problems(following, start.cursor, final, PATIENCE)
    outcome.delivered = await deliveries.delivered(context.site, start, final, PATIENCE)
    outcome.problems += outcome.delivered.problems


async def _check_history(context: Context, outcome: Outcome, evidence: Mapping[str, Evidence], seed: int) -> None:
    """Find out how the database contradicts the answers to the calls. If it does, the history is saved."""
    load = context.load
    calls = load.record.calls
    outcome.problems += load.record.problems[:_MAX_SHOWN]
    if context.tail is not None:
        split = tail.split(calls, evidence, context.tail)
        calls, outcome.lost = split.kept, len(split.lost)
        outcome.problems += split.problems
        if not split.lost:
            outcome.problems.append("the standby lacked no confirmed call, so the round proves nothing")
    # In a thread, because the proxy runs in this process's event loop.
    verdicts = await asyncio.to_thread(check, calls, load.groups, evidence, _MAX_BACKTRACKS)
    for one in verdicts:
        found = [f"{one.group}: {problem}" for problem in one.problems[:_MAX_SHOWN]]
        (outcome.undecided if one.undecided else outcome.problems).extend(found)
    if any(one.problems for one in verdicts):
        file = Path(tempfile.gettempdir()) / f"gqlstock-history-{load.label}-{seed}.pickle"
        saved_history.save(file, calls, load.groups, evidence)
        outcome.notes.append(f"the history is saved: python -m support.saved_history {file}")


async def _read_evidence(load: Load) -> dict[str, Evidence]:
    return {name: await stock_evidence.read(group.rules, load.label) for name, group in load.groups.items()}


def _text(error: Exception) -> str:
    return str(error) if isinstance(error, AssertionError) and str(error) else repr(error)
