"""Response times, CPU time and memory of the server while it pushes many changes to many subscribers.

    .venv/bin/python benchmarks/subscribers.py [--subscribers 1000] [--items 250] [--per-socket 1]
        [--of availability|inventory|alerts|orders] [--over websocket|sse]

Uses SQLite in a temporary directory. Server, subscribers and the querying client are processes on one machine. Set
PYTHONPATH to another checkout's ``src`` to measure that code. GQLSTOCK_* variables are passed on to the server.
"""

import argparse
import asyncio
import base64
import json
import multiprocessing
import os
import resource
import selectors
import socket
import struct
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from gqlstock.services import warehouses
from gqlstock.store.db import connection, versions
from gqlstock.store.db.connection import SqliteFile
from support import load_generator, server_processes
from support import shop_builders as make
from support.server_processes import Server

SUBSCRIPTIONS = {
    "availability": """subscription Shelf($skus: [String!]!) {
      availabilityChanges(skus: $skus) {
        sku website visible orderable unavailableReason onlyLeft lowInventory backorder message item { id name }
      }
    }""",
    "inventory": """subscription Levels($skus: [String!]) {
      inventoryChanges(skus: $skus) {
        cursor changedAt level { id onHand available item { sku } warehouse { code } } movement { kind quantity }
      }
    }""",
    "alerts": "subscription { lowInventoryAlerts { cursor alert { id state sku quantityLeft } } }",
    "orders": "subscription { orderChanges { cursor order { number status lines { sku quantity } } } }",
}
SET = "mutation ($input: SetStockInput!) { setStock(input: $input) { userErrors { message } } }"
PLACE = "mutation ($input: PlaceOrderInput!) { placeOrder(input: $input) { userErrors { message } } }"
SMALL = b'{"query":"{ product(sku: \\"ITEM000\\") { name } }"}'
_SECONDS_BETWEEN_QUESTIONS = 0.02
_PATIENCE = 400.0
_PIECE = 1 << 18
_NEXT = b'"type":"next"'
# These subscribers do not answer pings.
_NO_PINGS = ("--ws-ping-interval", "3600")


@dataclass(frozen=True, slots=True)
class Wanted:
    """The subscriptions, and their transport."""

    port: int
    of: str
    over: str
    subscribers: int
    per_socket: int
    skus: list[str]
    token: str | None


class Subscribers:
    """A process with many plain sockets, which counts the pushes to them."""

    def __init__(self, wanted: Wanted) -> None:
        self._here, there = multiprocessing.Pipe()
        self._process = multiprocessing.get_context("spawn").Process(target=_listen, args=(there, wanted), daemon=True)
        self._process.start()
        assert self._here.recv() == "subscribed"

    async def pushed(self, pushes: int) -> None:
        """Wait until this many pushes have arrived since the last call."""
        self._here.send(pushes)
        assert await asyncio.to_thread(self._here.poll, _PATIENCE), "the pushes do not arrive"
        answer = self._here.recv()
        assert answer == "done", answer

    def close(self) -> None:
        self._process.terminate()
        self._process.join()


def _listen(pipe: Connection, wanted: Wanted) -> None:
    _many_files()
    mark = _NEXT if wanted.over == "websocket" else b"event: next"
    with selectors.DefaultSelector() as selector:
        sockets = -(-wanted.subscribers // wanted.per_socket)
        for number in range(sockets):
            count = min(wanted.per_socket, wanted.subscribers - number * wanted.per_socket)
            open_one = _websocket if wanted.over == "websocket" else _stream
            one = open_one(wanted, count)
            selector.register(one, selectors.EVENT_READ, bytearray())
        selector.register(pipe, selectors.EVENT_READ)
        pipe.send("subscribed")
        seen = awaited = 0
        while True:
            for key, _ in selector.select():
                if key.fileobj is pipe:
                    awaited = pipe.recv()
                else:
                    seen += _count(key.fileobj, key.data, mark)
            if awaited and seen >= awaited:
                pipe.send("done" if seen == awaited else f"{seen} pushes instead of {awaited}")
                seen = awaited = 0


def _count(one: Any, rest: bytearray, mark: bytes) -> int:
    piece = one.recv(_PIECE)
    if not piece:
        raise SystemExit("the server closed a connection")
    if b'"errors"' in piece or b'"type":"error"' in piece:
        raise SystemExit(f"an error was pushed: {piece[:2_000]!r}")
    rest += piece
    found = rest.count(mark)
    # A mark may be split across two reads.
    del rest[: max(rest.rfind(mark) + len(mark) if found else 0, len(rest) - len(mark) + 1)]
    return found


def _payload(wanted: Wanted) -> dict[str, Any]:
    variables = {"skus": wanted.skus} if wanted.of in ("availability", "inventory") else {}
    return {"query": SUBSCRIPTIONS[wanted.of], "variables": variables}


def _connection(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=_PATIENCE)


def _websocket(wanted: Wanted, operations: int) -> socket.socket:
    one = _connection(wanted.port)
    key = base64.b64encode(os.urandom(16)).decode()
    head = (
        f"GET /graphql HTTP/1.1\r\nHost: 127.0.0.1:{wanted.port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n"
    )
    one.sendall(head.encode())
    _until(one, b"\r\n\r\n")
    payload = {"Authorization": f"Bearer {wanted.token}"} if wanted.token else {}
    one.sendall(_frame({"type": "connection_init", "payload": payload}))
    _until(one, b"connection_ack")
    for number in range(operations):
        one.sendall(_frame({"id": str(number), "type": "subscribe", "payload": _payload(wanted)}))
    return one


def _stream(wanted: Wanted, operations: int) -> socket.socket:
    assert operations == 1, "an event stream has exactly one subscription"
    one = _connection(wanted.port)
    body = json.dumps(_payload(wanted))
    authorization = f"Authorization: Bearer {wanted.token}\r\n" if wanted.token else ""
    head = (
        f"POST /graphql HTTP/1.1\r\nHost: 127.0.0.1:{wanted.port}\r\nAccept: text/event-stream\r\n{authorization}"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    one.sendall((head + body).encode())
    return one


def _until(one: socket.socket, mark: bytes) -> None:
    heard = b""
    while mark not in heard:
        piece = one.recv(_PIECE)
        assert piece, heard
        heard += piece


def _frame(message: dict[str, Any]) -> bytes:
    """A text frame with a zero mask."""
    data = json.dumps(message).encode()
    length = bytes([0x80 | len(data)]) if len(data) < 126 else bytes([0x80 | 126]) + struct.pack("!H", len(data))
    return b"\x81" + length + bytes(4) + data


class Questions:
    """A process that sends a small query every 20 ms and measures its duration and the server's CPU time meanwhile.

    The CPU time is what the query would take on an otherwise idle machine.
    """

    def __init__(self, of: Server) -> None:
        self._here, there = multiprocessing.Pipe()
        self._process = multiprocessing.get_context("spawn").Process(
            target=_ask, args=(there, of.port, of.process.pid), daemon=True
        )
        self._process.start()
        self._here.recv()

    def waits(self) -> tuple[list[float], list[float]]:
        """The durations and CPU times since the last call, each sorted."""
        self._here.send("waits")
        found: list[tuple[float, float]] = self._here.recv()
        return sorted(wait for wait, _ in found), sorted(worked for _, worked in found)

    def close(self) -> None:
        self._process.terminate()
        self._process.join()


def _worked(process: int) -> float:
    """The CPU seconds of the thread of the server's event loop."""
    return int(Path(f"/proc/{process}/task/{process}/schedstat").read_text().split()[0]) / 1e9


def _ask(pipe: Connection, port: int, process: int) -> None:
    one = _connection(port)
    one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    head = f"POST /graphql HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n"
    request = f"{head}Content-Length: {len(SMALL)}\r\n\r\n".encode() + SMALL
    waits: list[tuple[float, float]] = []
    pipe.send("ready")
    while True:
        asked, before = time.perf_counter(), _worked(process)
        one.sendall(request)
        _until(one, b'{"data":{"product":{"name":')
        waits.append((time.perf_counter() - asked, _worked(process) - before))
        if pipe.poll():
            pipe.recv()
            pipe.send(waits)
            waits = []
        time.sleep(max(0.0, asked + _SECONDS_BETWEEN_QUESTIONS - time.perf_counter()))


@contextmanager
def _closing(*opened: Any) -> Iterator[None]:
    with ExitStack() as stack:
        for one in opened:
            stack.callback(one.close)
        yield


def _seconds_of_processor(of: Server) -> float:
    fields = Path(f"/proc/{of.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def _change(started: Server, token: str, of: str, skus: list[str], on_hand: int) -> None:
    async with server_processes.client(token) as http:
        if of == "orders":
            lines = [{"lines": [{"sku": sku, "quantity": 1}]} for sku in skus]
            answers = await asyncio.gather(*(server_processes.ask(http, started, PLACE, input=line) for line in lines))
            assert all(answer["placeOrder"]["userErrors"] == [] for answer in answers)
            return
        counts = [{"sku": sku, "warehouse": "BERLIN", "onHand": on_hand} for sku in skus]
        answer = await server_processes.ask(http, started, SET, input={"counts": counts})
        assert answer["setStock"]["userErrors"] == [], answer


def _milliseconds(waits: list[float], share: float) -> float:
    return waits[min(len(waits) - 1, int(len(waits) * share))] * 1_000


async def measure(given: argparse.Namespace, directory: Path) -> None:
    url = SqliteFile(str(directory / "gqlstock.db"))
    await versions.migrate(url)
    async with connection.opened(url, everywhere=True):
        await warehouses.ensure_default_organization()
        await make.shop()
        skus = await load_generator.stocked(given.items)
        await make.setting(notify_below=5)
        token = await make.token()
        await asyncio.sleep(0.5)
    env = {
        "GQLSTOCK_DATABASE_URL": f"sqlite:///{url.path}",
        "GQLSTOCK_MAX_SUBSCRIPTIONS": str(max(5_000, given.subscribers)),
    }
    server_processes.LIKE_SERVE.extend(_NO_PINGS)
    server_processes.PATIENCE = 120.0
    async with server_processes.running(env, directory) as started:
        asking = await asyncio.to_thread(Questions, started)
        await asyncio.sleep(2)
        idle, _ = asking.waits()
        before = load_generator.memory(started)
        of_public = given.of == "availability"
        wanted = Wanted(
            started.port,
            given.of,
            given.over,
            given.subscribers,
            given.per_socket,
            skus,
            None if of_public else token,
        )
        subscribers = await asyncio.to_thread(Subscribers, wanted)
        with _closing(asking, subscribers):
            if of_public:
                await subscribers.pushed(given.subscribers * given.items)
            await asyncio.sleep(3)
            each = (load_generator.memory(started) - before) * 1024 / given.subscribers
            print(f"{given.subscribers} subscribers of {given.items} items: {each:.0f} KB of memory per subscriber")
            asking.waits()
            for on_hand in (0, 1_000):
                spent, began = _seconds_of_processor(started), time.monotonic()
                await _change(started, token, given.of, skus, on_hand)
                answered = time.monotonic() - began
                await subscribers.pushed(given.subscribers * given.items)
                seconds = time.monotonic() - began
                await asyncio.sleep(0.2)
                waits, worked = asking.waits()
                print(
                    f"{given.items} changes (answered after {answered:.2f} s), {given.subscribers * given.items} pushes in "
                    f"{seconds:.1f} s, {_seconds_of_processor(started) - spent:.1f} s CPU, "
                    f"{load_generator.memory(started):.0f} MB at the end"
                )
                print(
                    f"    queries: median {_milliseconds(waits, 0.5):.0f} ms, 99th percentile "
                    f"{_milliseconds(waits, 0.99):.0f} ms, maximum {waits[-1] * 1_000:.0f} ms ({len(waits)} answers);"
                )
                print(
                    f"    CPU time of the server meanwhile: 99th percentile {_milliseconds(worked, 0.99):.0f} ms, "
                    f"maximum {worked[-1] * 1_000:.0f} ms"
                )
    print(f"queries without pushes: median {_milliseconds(idle, 0.5):.0f} ms, maximum {idle[-1] * 1_000:.0f} ms")


def _many_files() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--subscribers", type=int, default=1_000)
    parser.add_argument("--items", type=int, default=250)
    parser.add_argument("--per-socket", type=int, default=1, help="subscriptions per websocket")
    parser.add_argument("--of", choices=sorted(SUBSCRIPTIONS), default="availability")
    parser.add_argument("--over", choices=("websocket", "sse"), default="websocket")
    given = parser.parse_args()
    _many_files()
    with tempfile.TemporaryDirectory() as directory:
        asyncio.run(measure(given, Path(directory)))


if __name__ == "__main__":
    main()
