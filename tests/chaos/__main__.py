"""Injects faults under load, and checks that no confirmed change is lost and no unit is sold twice.

It starts its own PostgreSQL, Redis and servers on this machine, and removes them at the end."""

import argparse
import asyncio
import contextlib
import dataclasses
import functools
import itertools
import logging
import random
import signal
import statistics
import sys
import time
from collections.abc import Callable, Sequence

from chaos import rounds
from chaos import site as sites
from chaos.faults import ASYNCHRONOUS, FAULTS, SYNCHRONOUS, Fault
from chaos.machines import Missing
from chaos.planted import BUGS
from chaos.rounds import Outcome

_MIN_SECONDS = 2.0
# The seconds of a round besides the fault: startup, load before and after it, and the checks.
_OVERHEAD = 7.0
_FAILOVER_SECONDS = 3.0
_INTERRUPTED = "remaining faults"
# Whether a round comes upon a bug is a matter of chance.
_TRIES = 3


async def run(
    chosen: Sequence[Fault],
    seconds: float,
    seed: int,
    outcomes: list[Outcome],
    times: int = 1,
    format_outcome: Callable[[Outcome], str] | None = None,
) -> dict[str, str]:
    """Inject each fault ``times`` times, for some seconds each, and append the outcomes. Returns why faults were skipped."""
    running = asyncio.current_task()
    assert running is not None
    # SIGTERM must stop the started processes, too.
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, running.cancel)
    skipped: dict[str, str] = {}
    for open_site, same_site in itertools.groupby(chosen, key=lambda fault: fault.site):
        faults = list(same_site)
        try:
            async with open_site() as site:
                for fault in faults * times:
                    try:
                        outcome = await rounds.run(site, fault, seconds, seed + len(outcomes))
                    except Missing as missing:
                        skipped[fault.name] = str(missing)
                        continue
                    if outcome.problems:
                        outcome.notes += site.log_ends()
                    outcomes.append(outcome)
                    _show(outcome, format_outcome)
        except Missing as missing:
            skipped |= dict.fromkeys((fault.name for fault in faults), str(missing))
        except Exception as error:
            outcomes.append(Outcome(faults[0].name, problems=[f"the site failed: {error!r}"]))
            _show(outcomes[-1], format_outcome)
    return skipped


def _show(outcome: Outcome, format_outcome: Callable[[Outcome], str] | None) -> None:
    details = [*outcome.problems, *outcome.undecided, *outcome.notes]
    print((format_outcome or line)(outcome), *details, sep="\n    ", flush=True)


async def find_bugs(seconds: float, seed: int) -> dict[str, bool]:
    """Plant each bug, and inject the fault that reveals it. Returns which ones were found."""
    faults = {fault.name: fault for fault in FAULTS}
    found: dict[str, bool] = {}
    for bug, (_, name) in BUGS.items():
        print(f"{bug}:", flush=True)
        planted = dataclasses.replace(faults[name], site=functools.partial(sites.postgres, bug))
        outcomes: list[Outcome] = []
        for attempt in range(_TRIES):
            if not any(outcome.problems for outcome in outcomes):
                await run([planted], seconds, seed + attempt, outcomes)
        found[bug] = any(outcome.problems for outcome in outcomes)
    return found


HEAD = (
    f"{'fault':<21} {'calls':>6} {'confirmed':>9} {'no answer':>9} {'lost':>5} {'recovery':>10} {'resumed':>7} "
    f"{'messages':>8} {'emails':>7} {'repeated':>8} {'seconds':>7}  result"
)


def line(one: Outcome) -> str:
    delivered = one.delivered
    return (
        f"{one.fault:<21} {one.calls:>6} {one.confirmed:>9} {one.unanswered:>9} {one.lost:>5} {one.recovered:>8.1f} s "
        f"{one.resumed:>7} {delivered.messages:>8} {delivered.emails:>7} {delivered.repeated:>8} {one.seconds:>7.0f}  "
        f"{_result(one)} ({one.description})"
    )


FAILOVER_HEAD = (
    f"{'both servers write after':>26} {'confirmed':>9} {'lost':>5} {'resumed':>7} {'INVALID_CURSOR':>14}  result"
)


def failover_line(one: Outcome) -> str:
    return (
        f"{one.recovered:>24.1f} s {one.confirmed:>9} {one.lost:>5} {one.resumed:>7} {one.refused:>14}  {_result(one)}"
    )


def _result(one: Outcome) -> str:
    if one.problems or one.undecided:
        return "PROBLEMS" if one.problems else "UNDECIDED"
    return "OK" if not one.lost else "OK, except for the lost calls"


def main() -> int:
    given = _arguments()
    seed = random.randrange(10**6) if given.seed is None else given.seed
    # This process's own connections break, too, and their errors would be logged.
    logging.disable()
    began = time.monotonic()
    outcomes: list[Outcome] = []
    if given.planted:
        found = asyncio.run(find_bugs(_MIN_SECONDS, seed))
        print(*(f"{bug}: {'found' if was_found else 'NOT FOUND'}" for bug, was_found in found.items()), sep="\n")
        return int(not all(found.values()))
    if given.failovers:
        chosen = [SYNCHRONOUS if given.standby == "synchronous" else ASYNCHRONOUS]
        print(
            f"{given.failovers} failovers to a standby ({given.standby}), seed {seed}\n{FAILOVER_HEAD}",
            flush=True,
        )
        running = run(chosen, _FAILOVER_SECONDS, seed, outcomes, given.failovers, failover_line)
    else:
        chosen = [fault for fault in FAULTS if fault.name in given.only]
        seconds = max(_MIN_SECONDS, given.minutes * 60 / len(chosen) - _OVERHEAD)
        print(f"{seconds:.0f} seconds per fault, seed {seed}")
        print(*(f"  {fault.name:<21} {fault.description}" for fault in chosen), HEAD, sep="\n", flush=True)
        running = run(chosen, seconds, seed, outcomes)
    skipped = {_INTERRUPTED: "interrupted"}
    with contextlib.suppress(asyncio.CancelledError, KeyboardInterrupt):
        skipped = asyncio.run(running)
    print(*(f"skipped: {name}: {reason}" for name, reason in skipped.items()), sep="\n")
    print(_summary(outcomes, bool(given.failovers)) + f", {time.monotonic() - began:.0f} s")
    passed = all(_passed(outcome) for outcome in outcomes)
    return int(not passed or not outcomes or _INTERRUPTED in skipped)


def _passed(outcome: Outcome) -> bool:
    return not (outcome.problems or outcome.undecided)


def _summary(outcomes: Sequence[Outcome], failovers: bool) -> str:
    passed = sum(map(_passed, outcomes))
    text = f"{passed} of {len(outcomes)} {'failovers' if failovers else 'faults'} without problems"
    text += f", {sum(outcome.confirmed for outcome in outcomes)} changes confirmed, {sum(one.lost for one in outcomes)} lost"
    if failovers and outcomes:
        waits = sorted(outcome.recovered for outcome in outcomes)
        text += f"; both servers write {statistics.median(waits):.1f} s after the promotion (median),"
        text += f" {waits[-1]:.1f} s at most"
        text += f"; subscribers resumed {sum(one.resumed for one in outcomes)} times,"
        text += f" {sum(one.refused for one in outcomes)} with INVALID_CURSOR"
    return text


def _arguments() -> argparse.Namespace:
    names = [fault.name for fault in FAULTS]
    parser = argparse.ArgumentParser(prog="scripts/chaos", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10, help="approximate total duration (default: 10)")
    parser.add_argument("--only", nargs="+", choices=names, metavar="FAULT", default=names, help=", ".join(names))
    parser.add_argument("--seed", type=int, help="seed of the random choices; the timing is not reproducible")
    parser.add_argument(
        "--failovers", type=int, metavar="N", help="instead of all faults, fail over N times on one database"
    )
    parser.add_argument(
        "--planted", action="store_true", help="instead, plant bugs in the servers, and find each of them"
    )
    parser.add_argument("--standby", choices=("synchronous", "asynchronous"), default="synchronous")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
