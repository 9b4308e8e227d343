"""How long it takes until the server can be asked, and until its code is imported; the code by hand beside it."""

import statistics
import subprocess
import sys
import time
from pathlib import Path

import databases
import serving
from databases import Place


def ready(place: Place, token: str, rounds: int) -> tuple[float, float]:
    """Seconds from starting the process to the first 200 of /readyz, ours and by hand, in turns."""
    times: tuple[list[float], list[float]] = ([], [])
    with databases.copied(place, "shop", "ours") as url:
        for _ in range(rounds):
            for into, started in zip(times, (serving.ours(url), serving.by_hand(url, token)), strict=True):
                with started as server:
                    into.append(server.ready_after)
    return statistics.median(times[0]), statistics.median(times[1])


def imported(rounds: int) -> tuple[float, float]:
    """Seconds that Python takes to import each application, without its own start."""
    times: dict[str, list[float]] = {"": [], "import gqlstock.app": [], "import by_hand_app": []}
    for _ in range(rounds):
        for code, into in times.items():
            began = time.perf_counter()
            subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parent, check=True)
            into.append(time.perf_counter() - began)
    bare, ours, by_hand = (statistics.median(found) for found in times.values())
    return ours - bare, by_hand - bare
