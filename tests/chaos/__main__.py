"""Shows under the faults of real operations that nothing confirmed is ever lost, and nothing is sold twice.

Starts its own PostgreSQL, Redis and servers, on this machine only, and removes them at the end."""

import argparse
import asyncio
import contextlib
import itertools
import logging
import random
import signal
import statistics
import sys
import time
from collections.abc import Callable, Sequence

from chaos import rounds
from chaos.faults import ASYNCHRONOUS, FAULTS, SYNCHRONOUS, Fault
from chaos.machines import Missing
from chaos.rounds import Outcome

_LEAST_SECONDS = 3.0
# What a round takes besides the fault itself: start, load before and after it, and the checks.
_AROUND = 14.0
_FAILOVER_SECONDS = 3.0
_INTERRUPTED = "the rest"


async def run(
    chosen: Sequence[Fault],
    seconds: float,
    seed: int,
    outcomes: list[Outcome],
    times: int = 1,
    told: Callable[[Outcome], str] | None = None,
) -> dict[str, str]:
    """Make each fault for some seconds, that many times, and add the outcomes. Returns why faults were left out."""
    running = asyncio.current_task()
    assert running is not None
    # What was started is stopped in that case, too.
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, running.cancel)
    left_out: dict[str, str] = {}
    for open_site, of_site in itertools.groupby(chosen, key=lambda fault: fault.site):
        faults = list(of_site)
        try:
            async with open_site() as site:
                for fault in faults * times:
                    try:
                        outcome = await rounds.run(site, fault, seconds, seed + len(outcomes))
                    except Missing as missing:
                        left_out[fault.name] = str(missing)
                        continue
                    if outcome.problems:
                        outcome.problems += site.log_ends()
                    outcomes.append(outcome)
                    print((told or line)(outcome), *outcome.problems, sep="\n    ", flush=True)
        except Missing as missing:
            left_out |= dict.fromkeys((fault.name for fault in faults), str(missing))
    return left_out


HEAD = (
    f"{'fault':<21} {'calls':>6} {'confirmed':>9} {'no answer':>9} {'lost':>5} {'back after':>10} {'resumed':>7} "
    f"{'messages':>8} {'letters':>7} {'repeated':>8} {'seconds':>7}  result"
)


def line(one: Outcome) -> str:
    told = one.delivered
    return (
        f"{one.fault:<21} {one.calls:>6} {one.confirmed:>9} {one.unanswered:>9} {one.lost:>5} {one.recovered:>8.1f} s "
        f"{one.resumed:>7} {told.messages:>8} {told.letters:>7} {told.repeated:>8} {one.took:>7.0f}  "
        f"{_result(one)} ({one.did})"
    )


FAILOVER_HEAD = f"{'first write after':>26} {'confirmed':>9} {'lost':>5} {'resumed':>7} {'INVALID_CURSOR':>14}  result"


def failover_line(one: Outcome) -> str:
    return (
        f"{one.recovered:>24.1f} s {one.confirmed:>9} {one.lost:>5} {one.resumed:>7} {one.refused:>14}  {_result(one)}"
    )


def _result(one: Outcome) -> str:
    return "PROBLEMS" if one.problems else "all there, sold once" if not one.lost else "the rest there, sold once"


def main() -> int:
    given = _arguments()
    seed = random.randrange(10**6) if given.seed is None else given.seed
    # This process's own connections break as well.
    logging.disable()
    began = time.monotonic()
    outcomes: list[Outcome] = []
    if given.failovers:
        chosen = [SYNCHRONOUS if given.standby == "synchronous" else ASYNCHRONOUS]
        print(
            f"{given.failovers} failovers to a standby that is {given.standby}, seed {seed}\n{FAILOVER_HEAD}",
            flush=True,
        )
        running = run(chosen, _FAILOVER_SECONDS, seed, outcomes, given.failovers, failover_line)
    else:
        chosen = [fault for fault in FAULTS if fault.name in given.only]
        seconds = max(_LEAST_SECONDS, given.minutes * 60 / len(chosen) - _AROUND)
        print(f"{seconds:.0f} seconds of each fault, seed {seed}")
        print(*(f"  {fault.name:<21} {fault.told}" for fault in chosen), HEAD, sep="\n", flush=True)
        running = run(chosen, seconds, seed, outcomes)
    left_out = {_INTERRUPTED: "interrupted"}
    with contextlib.suppress(asyncio.CancelledError, KeyboardInterrupt):
        left_out = asyncio.run(running)
    print(*(f"left out: {name}: {why}" for name, why in left_out.items()), sep="\n")
    print(_summary(outcomes, bool(given.failovers)) + f", {time.monotonic() - began:.0f} s")
    return int(any(outcome.problems for outcome in outcomes) or not outcomes or _INTERRUPTED in left_out)


def _summary(outcomes: Sequence[Outcome], are_failovers: bool) -> str:
    fine = sum(not outcome.problems for outcome in outcomes)
    told = f"{fine} of {len(outcomes)} {'failovers' if are_failovers else 'faults'} without a problem"
    told += f", {sum(outcome.confirmed for outcome in outcomes)} changes confirmed, {sum(one.lost for one in outcomes)} lost"
    if are_failovers and outcomes:
        waits = sorted(outcome.recovered for outcome in outcomes)
        told += f"; first write {statistics.median(waits):.1f} s after the promotion, {waits[-1]:.1f} s at most"
        told += f"; subscribers resumed {sum(one.resumed for one in outcomes)} times,"
        told += f" {sum(one.refused for one in outcomes)} with INVALID_CURSOR"
    return told


def _arguments() -> argparse.Namespace:
    names = [fault.name for fault in FAULTS]
    parser = argparse.ArgumentParser(prog="scripts/chaos", description=__doc__)
    parser.add_argument(
        "--minutes", type=float, default=10, help="how long all faults together take, about (default: 10)"
    )
    parser.add_argument("--only", nargs="+", choices=names, metavar="FAULT", default=names, help=", ".join(names))
    parser.add_argument(
        "--seed", type=int, help="the first choice of clients and faults; the timing differs all the same"
    )
    parser.add_argument("--failovers", type=int, metavar="N", help="fail over that often instead, on one database")
    parser.add_argument("--standby", choices=("synchronous", "asynchronous"), default="synchronous")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
