"""The cost of logging, metrics and graceful shutdown per request: the same requests with and without them.

python benchmarks/observing.py
"""

import asyncio
import logging
import statistics
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import TextIO

from starlette.applications import Starlette

import in_process
import questions
from gqlstock import logs
from gqlstock.app import create_app
from gqlstock.cli.demo.opening import stock_up
from gqlstock.config import Config
from gqlstock.logs import LogFormat, LogLevel
from gqlstock.services import databases
from gqlstock.store.db import connection
from gqlstock.store.db.connection import SqliteFile

QUERIES = {
    "smallest": "query Me { viewer { authenticated } }",
    "page of 24": "query Page { products(first: 24) { nodes { sku name availability { status orderable onlyLeft } } } }",
}
ROUNDS = 9
REQUESTS = 50


async def milliseconds(app: Starlette, request: bytes) -> float:
    began = time.perf_counter()
    for _ in range(REQUESTS):
        await in_process.ask(app, request)
    return (time.perf_counter() - began) / REQUESTS * 1000


async def measure(config: Config, nowhere: TextIO) -> None:
    await databases.prepare(config.database)
    plain, observed = create_app(config), create_app(config)
    plain.user_middleware.clear()
    async with connection.opened(config.database, everywhere=True):
        await stock_up("http://127.0.0.1:8000")
        for name, query in QUERIES.items():
            request = questions.http("POST", "/graphql", None, {"query": query})
            for form in (None, *LogFormat):
                logs.configure(form or LogFormat.TEXT, LogLevel.INFO if form else LogLevel.WARNING)
                handler = logging.getLogger().handlers[0]
                assert isinstance(handler, logging.StreamHandler)
                handler.setStream(nowhere)
                await milliseconds(plain, request)
                await milliseconds(observed, request)
                pairs = [
                    (await milliseconds(plain, request), await milliseconds(observed, request)) for _ in range(ROUNDS)
                ]
                without, with_ = (statistics.median(times) for times in zip(*pairs, strict=True))
                said = f"{name}, log {form.value if form else 'at warning'}"
                print(f"{said:28} {without:.3f} ms without, {with_:.3f} ms with: {with_ / without:.3f}")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as directory, Path("/dev/null").open("w") as nowhere:
        asyncio.run(measure(replace(Config.from_env({}), database=SqliteFile(f"{directory}/shop.db")), nowhere))
