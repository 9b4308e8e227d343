"""Profiles the server for a row: runs the application in this process under cProfile, one request after another.

It only covers the thread of the event loop: time in SQLite's thread or in PostgreSQL appears as waiting.
"""

import asyncio
import cProfile
import pstats
import time
from collections.abc import Iterator
from dataclasses import replace

import databases
import in_process
from databases import Place
from gqlstock import logs
from gqlstock.app import create_app
from gqlstock.config import Config
from gqlstock.logs import LogFormat, LogLevel

_LINES = 45
_WARM_UP = 20


def show(place: Place, warm_up: bytes, requests: Iterator[bytes], seconds: float) -> None:
    """Profile until the time or the requests end, and print the functions with the most own and the most cumulative time."""
    with databases.copied(place, "shop", "ours") as url:
        profile, count = asyncio.run(_profiled(url, warm_up, requests, seconds))
    print(f"{count} requests under the profiler")
    stats = pstats.Stats(profile).strip_dirs()
    for order in ("tottime", "cumulative"):
        stats.sort_stats(order).print_stats(_LINES)


async def _profiled(
    url: str, warm_up: bytes, requests: Iterator[bytes], seconds: float
) -> tuple[cProfile.Profile, int]:
    logs.configure(LogFormat.TEXT, LogLevel.WARNING)
    app = create_app(replace(Config.from_env({}), database=databases.opened_as(url)))
    profile, count = cProfile.Profile(), 0
    async with app.router.lifespan_context(app):
        for _ in range(_WARM_UP):
            await in_process.ask(app, warm_up)
        until = time.monotonic() + seconds
        profile.enable()
        for request in requests:
            await in_process.ask(app, request)
            count += 1
            if time.monotonic() > until:
                break
        profile.disable()
    return profile, count
