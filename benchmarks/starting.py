"""The time until the server is ready, and until its code is imported, compared with the hand-written code."""

import statistics
import subprocess
import sys
import time
from pathlib import Path

import databases
import serving
from databases import Place


def ready(place: Place, token: str, rounds: int) -> tuple[float, float]:
    """The seconds from starting the process to the first 200 from /readyz, measured alternately."""
    times: tuple[list[float], list[float]] = ([], [])
    with databases.copied(place, "shop", "ours") as url:
        for _ in range(rounds):
            for into, started in zip(times, (serving.ours(url), serving.by_hand(url, token)), strict=True):
                with started as server:
                    into.append(server.ready_after)
    return statistics.median(times[0]), statistics.median(times[1])


def imported(rounds: int) -> tuple[float, float]:
    """The seconds that Python takes to import each application, without its own startup."""
    times: dict[str, list[float]] = {"": [], "import gqlstock.app": [], "import by_hand_app": []}
    for _ in range(rounds):
        for code, into in times.items():
            began = time.perf_counter()
            subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parent, check=True)
            into.append(time.perf_counter() - began)
    bare, ours, by_hand = (statistics.median(found) for found in times.values())
    return ours - bare, by_hand - bare
