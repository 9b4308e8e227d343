"""Runs schemathesis against a server with a stocked shop, and checks the metrics, the memory and the log of the server.

It prints the outcomes of the cases. At the end it runs ``gqlstock verify``.
"""

import asyncio
import json
import os
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import httpx
from graphql import build_schema
from prometheus_client.parser import text_string_to_metric_families

from gqlstock.config import Config
from gqlstock.services import databases
from gqlstock.store.db import connection
from support import server_processes, webhook_receiver
from support import shop_builders as make
from support.server_processes import Server

HERE = Path(__file__).parent
SCHEMATHESIS = HERE / ".venv" / "bin" / "schemathesis"
SCHEMA = HERE.parent.parent / "schema.graphql"
SECONDS_BETWEEN_SAMPLES = 5.0
SECONDS_BETWEEN_RESTOCKS = 5.0
WARM_UP = 0.1
"""The share of a run before its memory is measured."""
MAX_GROWTH = 1.10
"""The maximum ratio of the median memory in the last third of a run to that in the middle third."""
ROUNDS = ("--max-examples", "10")
"""Few cases per operation at a time, so that mutations find the objects that other mutations have created."""
MEGABYTE = 1_048_576

Report = Callable[[str, int, int, str], None]
"""Takes the name of a check, the number of passed cases, the number of all cases, and an error message."""


@dataclass
class Figures:
    """The server's metrics since its start."""

    statuses: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)
    operations: Counter[str] = field(default_factory=Counter)
    orders: int = 0
    resident: float = 0
    cache: float = 0

    @classmethod
    async def read(cls, http: httpx.AsyncClient, serving: Server) -> "Figures":
        figures = cls()
        text = (await http.get(f"http://127.0.0.1:{serving.port}/metrics")).text
        counters = {
            "gqlstock_http_requests_total": (figures.statuses, "status"),
            "gqlstock_errors_total": (figures.errors, "code"),
            "gqlstock_refusals_total": (figures.refusals, "code"),
            "gqlstock_operations_total": (figures.operations, "type"),
        }
        for sample in (sample for family in text_string_to_metric_families(text) for sample in family.samples):
            if sample.name in counters:
                counter, label = counters[sample.name]
                counter[sample.labels[label]] += int(sample.value)
            elif sample.name == "gqlstock_orders_placed_total":
                figures.orders = int(sample.value)
            elif sample.name == "process_resident_memory_bytes":
                figures.resident = sample.value / MEGABYTE
            elif sample.name == "gqlstock_cache_bytes":
                figures.cache = sample.value / MEGABYTE
        return figures

    @property
    def failed(self) -> int:
        return sum(number for status, number in self.statuses.items() if status >= "500")

    @property
    def internal(self) -> int:
        return self.errors["INTERNAL"]


class Restocker:
    """Periodically resets settings, and adds items, stock and orders, so that the fuzzer does not run out of them."""

    def __init__(self) -> None:
        schema = build_schema(SCHEMA.read_text())
        unset = ", ".join(f"{name}: null" for name in schema.type_map["InventorySettingsInput"].fields)
        self._document = RESTOCK.replace("UNSET", f"{{ {unset} }}")

    async def run(self, http: httpx.AsyncClient, serving: Server) -> None:
        while True:
            ordered = await server_processes.ask(http, serving, self._document)
            for name in ("toPack", "toShip"):
                order = ordered[name]["order"]
                packed = await server_processes.ask(http, serving, PACK, order=order["number"]) if order else None
                shipment = packed["createShipment"]["shipment"] if packed else None
                if shipment and name == "toShip":
                    await server_processes.ask(http, serving, SHIP, number=shipment["number"])
            await asyncio.sleep(SECONDS_BETWEEN_RESTOCKS)


RESTOCK = """mutation Restock {
  system: setInventorySettings(input: { scope: { system: true }, settings: UNSET }) { userErrors { message } }
  website: setInventorySettings(input: { scope: { website: "shop" }, settings: UNSET }) { userErrors { message } }
  organization: setInventorySettings(input: { scope: { organization: "default" }, settings: UNSET }) {
    userErrors { message }
  }
  berlin: updateWarehouse(input: { code: "BERLIN", active: true }) { userErrors { message } }
  hamburg: updateWarehouse(input: { code: "HAMBURG", active: true }) { userErrors { message } }
  shop: updateWebsite(input: { code: "shop", warehouses: [{ warehouse: "BERLIN" }, { warehouse: "HAMBURG" }] }) {
    userErrors { message }
  }
  products: upsertProducts(input: { partial: true, products: [
    { sku: "MUG", name: "Mug", published: true, inventoryStatus: IN_STOCK, settings: UNSET }
    { sku: "CUP", name: "Cup", published: true, inventoryStatus: IN_STOCK, settings: { notifyBelow: 5000 } }
    { sku: "PAN", name: "Pan", published: true, inventoryStatus: IN_STOCK, settings: { insufficientStock: HOLD_ORDER } }
    { sku: "LID", name: "Lid", published: true, settings: { allowBackInStockSubscriptions: true, backorders: NO_BACKORDERS } }
    { sku: "TEE", name: "Tee", published: true, inventoryStatus: IN_STOCK, tracking: TRACK_WITH_OPTIONS,
      options: [{ name: "Size", values: [{ name: "S" }, { name: "M" }, { name: "L" }] }],
      combinations: [{ sku: "TEE-S", options: [{ name: "Size", value: "S" }], settings: UNSET }], settings: UNSET }
  ] }) { userErrors { message } }
  stock: setStock(input: { partial: true, counts: [
    { sku: "MUG", warehouse: "BERLIN", onHand: 1000 }, { sku: "MUG", warehouse: "HAMBURG", onHand: 50 }
    { sku: "CUP", warehouse: "BERLIN", onHand: 1000 }, { sku: "CUP", warehouse: "HAMBURG", onHand: 50 }
    { sku: "PAN", warehouse: "BERLIN", onHand: 2 }, { sku: "LID", warehouse: "BERLIN", onHand: 0 }
    { sku: "TEE-S", warehouse: "BERLIN", onHand: 500 }
  ] }) { userErrors { message } }
  toPack: placeOrder(input: { website: "shop", lines: [{ sku: "MUG", quantity: 2 }, { sku: "CUP", quantity: 2 }] }) {
    order { number }
  }
  toShip: placeOrder(input: { website: "shop", lines: [{ sku: "MUG", quantity: 3 }] }) { order { number } }
  open: placeOrder(input: { website: "shop", lines: [{ sku: "MUG", quantity: 9 }, { sku: "CUP", quantity: 9 }] }) {
    order { number }
  }
  parked: placeOrder(input: { website: "shop", lines: [{ sku: "PAN", quantity: 4 }] }) { order { number } }
  delivered: setStock(input: { counts: [{ sku: "PAN", warehouse: "BERLIN", onHand: 50 }] }) { userErrors { message } }
  hold: holdStock(input: { website: "shop", lines: [{ sku: "MUG", quantity: 1 }] }) { hold { id } }
  transfer: shipTransfer(input: { from: "BERLIN", to: "HAMBURG", lines: [{ sku: "MUG", quantity: 9 }] }) {
    transfer { number }
  }
  announcement: announceStock(input: { warehouse: "BERLIN", lines: [{ sku: "MUG", quantity: 9 }] }) {
    userErrors { message }
  }
}"""
PACK = """mutation Pack($order: String!) {
  createShipment(input: { order: $order, warehouse: "BERLIN" }) { shipment { number } }
}"""
SHIP = """mutation Ship($number: String!) { shipShipment(input: { number: $number }) { userErrors { message } } }"""


async def fuzz(seconds: int, database: str | None, redis: str | None, report: Report) -> None:
    """Fuzz without a token and with one, for that many seconds each, on an empty database. By default it is a SQLite file."""
    with tempfile.TemporaryDirectory() as directory:
        env = {"GQLSTOCK_DATABASE_URL": database or f"sqlite:///{directory}/gqlstock.db"}
        env |= {"GQLSTOCK_REDIS_URL": redis} if redis else {}
        url = Config.from_env(env).database
        await databases.prepare(url)
        async with connection.opened(url, everywhere=True):
            await make.shop()
            await make.warehouse("HAMBURG")
            await make.category("kitchen")
            token = await make.token("admin")
        settings = {"GQLSTOCK_PUBLIC_ORDERS": "true", "GQLSTOCK_WEBHOOK_PRIVATE_ADDRESSES": "true"}
        async with (
            webhook_receiver.receiving() as receiver,
            server_processes.running(env | settings, Path(directory)) as serving,
        ):
            run = Run(serving, token, receiver.url(), Path(directory) / "counts.json", report)
            for name, headers in (("without a token", ()), ("with a token", ("-H", f"Authorization: Bearer {token}"))):
                await run.fuzz(name, headers, seconds)
            logged = serving.log.read_text()
        errors = re.findall(r"^\S+ (?:ERROR|CRITICAL) .*(?:\n    .*)*|Traceback", logged, re.MULTILINE)
        report("no errors in the server's log", int(not errors), 1, "\n".join(dict.fromkeys(errors))[:6_000])
        command = (sys.executable, "-m", "gqlstock.cli", "verify")
        status, output = await _output(command, env)
        report("gqlstock verify", int(status == 0), 1, output[-2_000:])


@dataclass
class Run:
    serving: Server
    token: str
    receiver: str
    counts: Path
    report: Report

    async def fuzz(self, name: str, headers: Iterable[str], seconds: int) -> None:
        self.counts.unlink(missing_ok=True)
        samples: list[Figures] = []
        async with server_processes.client(self.token) as http:
            before = await Figures.read(http, self.serving)
            tasks = [
                asyncio.create_task(Restocker().run(http, self.serving)),
                asyncio.create_task(_sample(http, self.serving, samples)),
            ]
            status, output = await self._schemathesis(headers, seconds)
            for task in tasks:
                task.cancel()
            results = await asyncio.gather(*tasks, return_exceptions=True)
            errors = [repr(result) for result in results if not isinstance(result, asyncio.CancelledError)]
            self.report(f"restocking {name}", int(not errors), 1, "\n".join(errors))
            after = await Figures.read(http, self.serving)
        self._report_figures(name, before, [*samples, after])
        self.report(
            f"schemathesis {name}, {seconds} seconds", int(status == 0), 1, "" if status == 0 else _failures(output)
        )

    async def _schemathesis(self, headers: Iterable[str], seconds: int) -> tuple[int, str]:
        url = self.serving.url
        command = (
            *(str(SCHEMATHESIS), "run", url, "--generation-database", "none", "--continue-on-failure"),
            *("--max-time", str(seconds), "--phases", "fuzzing", "--no-shrink", "--workers", "2", *ROUNDS, *headers),
            *(
                "--checks",
                "every_error_has_a_code,the_status_conforms_to_graphql_over_http,response_schema_conformance",
                "--warnings",
                "off",
            ),
        )
        settings = {
            "FUZZ_URL": url,
            "FUZZ_TOKEN": self.token,
            "FUZZ_RECEIVER": self.receiver,
            "FUZZ_COUNTS": str(self.counts),
        }
        return await _output(command, {"SCHEMATHESIS_HOOKS": "known_values", **settings})

    def _report_figures(self, name: str, before: Figures, samples: list[Figures]) -> None:
        after = samples[-1]
        requests, operations = after.statuses - before.statuses, after.operations - before.operations
        print(f"\n{name}: {requests.total():,} requests, by status {_format_counter(requests)}")
        print(f"  operations: {_format_counter(operations)}; orders placed: {after.orders - before.orders:,}")
        print(f"  errors: {_format_counter(after.errors - before.errors)}")
        print(f"  user errors: {_format_counter(after.refusals - before.refusals)}")
        _print_outcomes(json.loads(self.counts.read_text()) if self.counts.exists() else {})
        failed, internal = after.failed - before.failed, after.internal - before.internal
        self.report(f"no status 500 or above {name}", int(not failed), 1, f"{failed} responses" if failed else "")
        self.report(f"no INTERNAL error {name}", int(not internal), 1, f"{internal} errors" if internal else "")
        self._report_memory(name, [sample.resident for sample in samples], after.cache)

    def _report_memory(self, name: str, resident: list[float], cache: float) -> None:
        measured = resident[int(len(resident) * WARM_UP) :]
        third = len(measured) // 3
        middle, last = median(measured[third : 2 * third + 1]), median(measured[-third - 1 :])
        minutes = " ".join(f"{one:.0f}" for one in resident[:: int(60 / SECONDS_BETWEEN_SAMPLES)])
        print(f"  resident memory in MB, per minute: {minutes}; at the end {resident[-1]:.0f}")
        print(
            f"  after the warm-up: from {min(measured):.0f} to {max(measured):.0f}; query cache at the end: {cache:.1f}"
        )
        check = f"stable memory {name} (middle third {middle:.0f} MB, last third {last:.0f} MB)"
        self.report(check, int(last <= middle * MAX_GROWTH), 1, "")


def _print_outcomes(counts: Mapping[str, Mapping[str, int]]) -> None:
    """Print how many cases had which outcome."""
    sums: Counter[str] = sum((Counter(one) for name, one in counts.items() if _is_mutation(name)), Counter())
    executed = sums["done"] + sums["refused"]
    share = f", {sums['done'] / executed:.0%} of them without userErrors" if executed else ""
    print(
        f"  mutations executed: {executed:,}{share}; not executed: {sums['error']:,} with errors, {sums['denied']:,} denied"
    )
    by_field = {
        name: one for name, one in sorted(counts.items()) if one.keys() & {"done", "refused"} and _is_mutation(name)
    }
    figures = (f"{_field(name)} {one.get('done', 0)}/{one.get('refused', 0)}" for name, one in by_field.items())
    print(f"  without/with userErrors: {', '.join(figures)}")
    never = [name for name, one in sorted(counts.items()) if not one.keys() & {"done", "denied"}]
    print(f"  never succeeded: {', '.join(never) or 'none'}")


def _is_mutation(name: str) -> bool:
    return name.startswith("Mutation.")


def _field(name: str) -> str:
    return name.partition(".")[2]


def _format_counter(counter: Counter[str]) -> str:
    return ", ".join(f"{name} {number:,}" for name, number in sorted(counter.items())) or "none"


def _failures(output: str) -> str:
    _, found, failures = output.partition("= FAILURES =")
    return (failures if found else output)[:6_000]


async def _sample(http: httpx.AsyncClient, serving: Server, samples: list[Figures]) -> None:
    while True:
        samples.append(await Figures.read(http, serving))
        await asyncio.sleep(SECONDS_BETWEEN_SAMPLES)


async def _output(command: Iterable[str], env: Mapping[str, str]) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=HERE,
        env={**os.environ, **env},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    return process.returncode or 0, output.decode()
