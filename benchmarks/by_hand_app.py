"""The hand-written code over HTTP: bare Starlette handlers that run the statements on either database.

On SQLite, reads run in the event loop, which is fastest for statements of a tenth of a millisecond; writes run in one
thread, with one hop per transaction. On PostgreSQL each statement is a round trip.
"""

import argparse
import asyncio
import contextlib
import hmac
import os
import socket
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import lru_cache
from typing import Any, Protocol, TypeVar

import asyncpg
import orjson
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from uvicorn.supervisors import Multiprocess

import by_hand
import by_hand_stock
from by_hand import Statements

DATABASE, TOKEN = "BENCHMARK_DATABASE", "BENCHMARK_TOKEN"
_CONNECTIONS = 10

T = TypeVar("T")


class Database(Protocol):
    async def read(self, statements: Statements[T]) -> T: ...
    async def write(self, statements: Statements[T]) -> T: ...


class Sqlite:
    def __init__(self, path: str) -> None:
        self._reader, self._writer = connect(path), connect(path)
        self._thread = ThreadPoolExecutor(1)

    async def read(self, statements: Statements[T]) -> T:
        return run(self._reader, statements)

    async def write(self, statements: Statements[T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._transaction, statements)

    def _transaction(self, statements: Statements[T]) -> T:
        self._writer.execute("BEGIN IMMEDIATE")
        try:
            answer = run(self._writer, statements)
        except BaseException:
            self._writer.execute("ROLLBACK")
            raise
        self._writer.execute("COMMIT")
        return answer


def connect(path: str) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=10)
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA synchronous = FULL")
    return connection


def run(connection: sqlite3.Connection, statements: Statements[T]) -> T:
    """Run all statements of an answer and return it."""
    rows: Any = None
    while True:
        try:
            sql, values, many = statements.send(rows)
        except StopIteration as done:
            answer: T = done.value
            return answer
        if many:
            connection.executemany(sql, _times(values))
            rows = []
        else:
            rows = _execute(connection, sql, values).fetchall()


def _execute(connection: sqlite3.Connection, sql: str, values: Any) -> sqlite3.Cursor:
    sizes = tuple(len(value) for value in values if isinstance(value, list))
    spread = [one for value in values for one in (value if isinstance(value, list) else [value])]
    return connection.execute(_sqlite(sql, sizes), [_stored(value) for value in spread])


def _times(rows: Any) -> Any:
    return [[_stored(value) for value in row] for row in rows]


def _stored(value: Any) -> Any:
    return value.isoformat(" ") if isinstance(value, datetime) else value


@lru_cache(maxsize=1_000)
def _sqlite(sql: str, sizes: tuple[int, ...]) -> str:
    head, *tail = sql.replace(" FOR UPDATE OF l", "").split("IN ?")
    lists = (f"IN ({', '.join('?' * size)})" for size in sizes)
    return head + "".join(slots + rest for slots, rest in zip(lists, tail, strict=True))


class Postgres:
    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def read(self, statements: Statements[T]) -> T:
        async with self._pool.acquire() as connection:
            return await self._run(connection, statements)

    async def write(self, statements: Statements[T]) -> T:
        async with self._pool.acquire() as connection, connection.transaction():
            return await self._run(connection, statements)

    async def _run(self, connection: Any, statements: Statements[T]) -> T:
        rows: Any = None
        while True:
            try:
                sql, values, many = statements.send(rows)
            except StopIteration as done:
                answer: T = done.value
                return answer
            if many:
                await connection.executemany(_postgres(sql), values)
                rows = []
            else:
                rows = await connection.fetch(_postgres(sql), *values)


@lru_cache(maxsize=1_000)
def _postgres(sql: str) -> str:
    head, *tail = sql.replace("IN ?", "= ANY(?)").split("?")
    return head + "".join(f"${number}{rest}" for number, rest in enumerate(tail, 1))


async def _no_reset(_: Any) -> None:
    """No statement changes the session, so a reset would only cost a round trip."""


@contextlib.asynccontextmanager
async def opened(url: str) -> AsyncIterator[Database]:
    if url.startswith("sqlite:"):
        yield Sqlite(url.removeprefix("sqlite:///"))
        return
    async with asyncpg.create_pool(url, min_size=1, max_size=_CONNECTIONS, reset=_no_reset) as pool:
        yield Postgres(pool)


def app() -> Starlette:
    """The application, with the database and the token from the environment."""
    expected = f"Bearer {os.environ[TOKEN]}"
    databases: list[Database] = []

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with opened(os.environ[DATABASE]) as database:
            databases.append(database)
            yield

    def route(path: str, method: str, answer: Callable[[Database, Request], Awaitable[bytes]]) -> Route:
        async def respond(request: Request) -> Response:
            if not hmac.compare_digest(request.headers.get("authorization", ""), expected):
                return Response(status_code=401)
            return Response(await answer(databases[0], request), media_type="application/json")

        return Route(path, respond, methods=[method])

    async def ready(_: Request) -> Response:
        return PlainTextResponse("ok\n")

    return Starlette(
        routes=[
            Route("/readyz", ready),
            route("/pages/{slug}", "GET", lambda db, asked: db.read(by_hand.page(asked.path_params["slug"]))),
            route("/categories/{slug}", "GET", lambda db, asked: db.read(by_hand.listing(asked.path_params["slug"]))),
            route("/categories/{slug}/behind/{name}/{id:int}", "GET", _after),
            route("/products/{sku}", "GET", lambda db, asked: db.read(by_hand.one(asked.path_params["sku"]))),
            route("/availabilities", "POST", _availabilities),
            route("/orders", "POST", _orders),
            route("/adjustments", "POST", _adjustments),
            route("/counts", "POST", _counts),
        ],
        lifespan=lifespan,
    )


async def _after(database: Database, request: Request) -> bytes:
    params = request.path_params
    return await database.read(by_hand.listing(params["slug"], (params["name"], params["id"])))


async def _availabilities(database: Database, request: Request) -> bytes:
    return await database.read(by_hand.availabilities(await _body(request)))


async def _orders(database: Database, request: Request) -> bytes:
    return await _written(database, by_hand_stock.place(await _body(request)), "placeOrder")


async def _adjustments(database: Database, request: Request) -> bytes:
    return await _written(database, by_hand_stock.adjust(await _body(request)), "adjustStock")


async def _counts(database: Database, request: Request) -> bytes:
    return await _written(database, by_hand_stock.count(await _body(request)), "setStock")


async def _body(request: Request) -> list[Any]:
    body: list[Any] = orjson.loads(await request.body())
    return body


async def _written(database: Database, statements: Statements[bytes], name: str) -> bytes:
    try:
        return await database.write(statements)
    except by_hand_stock.Refused:
        return by_hand_stock.refusal(name)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--workers", type=int, default=1)
    given = parser.parse_args()
    config = uvicorn.Config(
        "by_hand_app:app",
        factory=True,
        port=given.port,
        workers=given.workers,
        log_level="warning",
        access_log=False,
        timeout_worker_healthcheck=30,
    )
    if given.workers == 1:
        uvicorn.Server(config).run()
        return
    # asyncio only does this for sockets that it creates. Without it, the second part of an answer is 40 ms late.
    bound = config.bind_socket()
    bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    Multiprocess(config, [bound]).run()


if __name__ == "__main__":
    main()
