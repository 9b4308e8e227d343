"""The most expensive public requests: what each costs, and how long others wait meanwhile.

    .venv/bin/python benchmarks/long_requests.py [--items 20000]

One server on SQLite with ``--items`` products. Each request is sent once, while another connection repeats a small query.
Memory is the server's peak so far.
"""

import argparse
import asyncio
import json
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import client
import questions
import serving
import shop
from gqlstock.store.db.connection import SqliteFile
from serving import Server

_SMALL = questions.http("POST", "/graphql", None, {"query": "{ viewer { authenticated } }"})


def _request(query: str, **variables: Any) -> bytes:
    return questions.http("POST", "/graphql", None, {"query": query, "variables": variables})


def _counts(size: int, *, different: bool = False) -> bytes:
    filters = [f', filter: {{ search: "{number}" }}' if different else "" for number in range(size)]
    return _request(
        "{ " + " ".join(f"c{n}: products(first: 0{one}) {{ totalCount }}" for n, one in enumerate(filters)) + " }"
    )


def _orders(size: int) -> bytes:
    fields = " ".join(f"c{n}: checkOrder(input: $input) {{ orderable }}" for n in range(size))
    lines = [{"sku": shop.single(number), "quantity": 1} for number in range(500)]
    return _request(f"query ($input: CheckOrderInput!) {{ {fields} }}", input={"lines": lines})


REQUESTS = {
    "100 × one count": _counts(100),
    "14 × one count": _counts(14),
    "14 different counts": _counts(14, different=True),
    "90 × checkOrder of 500 lines": _orders(90),
    "9 × checkOrder of 500 lines": _orders(9),
}


def _highest(server: Server) -> float:
    """The peak memory of the server in MB."""
    lines = Path(f"/proc/{server.process.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM:"))


def _measure(name: str, request: bytes, server: Server) -> None:
    answers: list[bytes] = []

    def ask() -> None:
        client.ask(server.port, iter([request]), 1, 600, lambda answer, _: answers.append(answer))

    asking = threading.Thread(target=ask)
    waits, busy, began = [0.0], server.busy(), time.perf_counter()
    asking.start()
    while asking.is_alive():
        waits.append(client.ask(server.port, iter([_SMALL]), 1, 600).each[0])
        time.sleep(0.002)
    taken = time.perf_counter() - began
    body = json.loads(answers[0].partition(b"\r\n\r\n")[2])
    outcome = body["errors"][0]["extensions"]["code"] if "errors" in body else "answered"
    print(
        f"{name:30} {outcome:18} {taken:6.1f} s   {server.busy() - busy:6.1f} s CPU   others waited up to "
        f"{max(waits) * 1_000:7.0f} ms   {_highest(server):6.0f} MB",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--items", type=int, default=20_000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        url = SqliteFile(str(Path(directory) / "gqlstock.db"))
        asyncio.run(shop.make(url, 1, 4, given.items))
        with serving.ours(f"sqlite:///{url.path}") as server:
            _measure("a small query", _SMALL, server)
            for name, request in REQUESTS.items():
                _measure(name, request, server)


if __name__ == "__main__":
    main()
