"""Runs third-party checks against a new server and the exported schema. The exit status is 1 if a check fails."""

import argparse
import asyncio
import contextlib
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import fuzzing
from graphql import build_schema

from gqlstock.services import databases
from gqlstock.store.db import connection
from gqlstock.store.db.connection import SqliteFile
from support import server_processes
from support import shop_builders as make
from support.server_processes import Server

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
CLIENTS = ROOT / "tests" / "clients"
PYTHON = HERE / ".venv" / "bin"
SCHEMA = ROOT / "schema.graphql"
PAGES = ROOT / "tests" / "graphql" / "pages"
CLAIRVOYANCE_SECONDS = 30

failed: list[str] = []


def report(name: str, passed: int, total: int, message: str = "") -> None:
    if passed != total or not total:
        failed.append(name)
    print(f"{'ok  ' if passed == total and total else 'FAIL'}  {name}: {passed} of {total}", flush=True)
    if message:
        print("      " + message.strip().replace("\n", "\n      "), flush=True)


def run(*command: object, cwd: Path = HERE, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env={**os.environ, **env},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def check_commands(name: str, *commands: tuple[object, ...], cwd: Path = HERE) -> None:
    """Report a check that passes if all its commands succeed."""
    for command in commands:
        done = run(*command, cwd=cwd)
        if done.returncode:
            report(name, 0, 1, done.stdout[-2_000:])
            return
    report(name, 1, 1)


def check_cases(name: str, script: Path, *arguments: str, passes: Callable[[dict[str, object]], bool]) -> None:
    """Report a check whose script prints each case as a line of JSON."""
    done = run("node", script, *arguments, cwd=script.parent)
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    failures = [json.dumps(line) for line in lines if not passes(line)]
    if done.returncode:
        failures.append(done.stdout[-500:])
    report(name, len(lines) - len(failures), len(lines), "\n".join(failures))


def as_expected(line: dict[str, object]) -> bool:
    return "got" in line and line["got"] == line["wanted"]


def check_schema() -> None:
    check_commands("graphql-eslint, schema-recommended and relay", ("node", "lint.mjs", SCHEMA))
    inspector = HERE / "node_modules" / ".bin" / "graphql-inspector"
    check_commands(
        "graphql-inspector validate",
        *((inspector, "validate", page, SCHEMA) for page in sorted(PAGES.glob("*.graphql"))),
    )
    check_commands(
        "graphql-codegen and tsc --strict",
        (HERE / "node_modules" / ".bin" / "graphql-codegen", "--config", "codegen.config.ts"),
        (HERE / "node_modules" / ".bin" / "tsc", "--strict", "--noEmit", "--skipLibCheck", "generated/operations.ts"),
    )


async def check_clients(serving: Server, token: str) -> None:
    in_thread = asyncio.to_thread
    audits = CLIENTS / "audit.mjs"
    await in_thread(
        check_cases, "graphql-http serverAudits", audits, serving.url, passes=lambda line: line["status"] == "ok"
    )
    await in_thread(check_cases, "graphql-ws", CLIENTS / "sockets.mjs", serving.url, token, passes=as_expected)
    await in_thread(check_cases, "graphql-sse", CLIENTS / "events.mjs", serving.url, token, passes=as_expected)
    await in_thread(check_cases, "Apollo Client and urql", HERE / "clients.mjs", serving.url, token, passes=as_expected)
    typed = (PYTHON / "python", "typed_client.py", serving.url, token, SCHEMA)
    await in_thread(check_commands, "gql and ariadne-codegen", typed)


async def check_cross_site(serving: Server, count_orders: Callable[[], int]) -> None:
    """Anyone may order here, so each request that a page of another site gets through increases the number of orders."""
    before = count_orders()
    await asyncio.to_thread(
        check_cases, "a page of another site in Chromium", CLIENTS / "page.mjs", serving.url, passes=as_expected
    )
    report("no order from the page of another site", int(count_orders() == before), 1)


async def check_suggestions(serving: Server, token: str) -> None:
    """Guess misspelled field names. The server may suggest the correct names only to requests with a token."""
    query = build_schema(SCHEMA.read_text()).query_type
    assert query is not None
    names = set(query.fields)
    public = await asyncio.to_thread(_recovered_fields, serving, names)
    known = await asyncio.to_thread(_recovered_fields, serving, names, "-H", f"Authorization: Bearer {token}")
    report("clairvoyance recovers no fields without a token", int(not public), 1, ", ".join(sorted(public)))
    report(f"clairvoyance recovers fields with a token ({len(known)})", int(len(known) > 0), 1)


def _recovered_fields(serving: Server, names: set[str], *options: str) -> set[str]:
    with tempfile.TemporaryDirectory() as directory:
        words, found = Path(directory) / "words", Path(directory) / "found.json"
        words.write_text("\n".join(sorted({name[:-1] for name in names} - names)[:20]))
        command = (PYTHON / "clairvoyance", "-w", words, "-o", found, "-m", "1", *options, serving.url)
        done = run("timeout", CLAIRVOYANCE_SECONDS, *command)
        # The timeout may stop it before it writes the file, but it prints each field that it finds.
        text = done.stdout + (found.read_text() if found.exists() else "")
    return {name for name in names if f"'{name}'" in text or f'"{name}"' in text}


async def check_all() -> None:
    with tempfile.TemporaryDirectory() as directory:
        url = SqliteFile(str(Path(directory) / "gqlstock.db"))
        env = {"GQLSTOCK_DATABASE_URL": f"sqlite:///{url.path}"}
        await databases.prepare(url)
        async with connection.opened(url, everywhere=True):
            await make.shop()
            await make.product("MUG")
            await make.stock("MUG", on_hand=1_000)
            token = await make.token("admin")

        def count_orders() -> int:
            with contextlib.closing(sqlite3.connect(url.path)) as opened:
                return int(opened.execute("SELECT count(*) FROM customer_order").fetchone()[0])

        check_schema()
        async with server_processes.running(env, Path(directory)) as serving:
            await check_clients(serving, token)
        async with server_processes.running({**env, "GQLSTOCK_PUBLIC_ORDERS": "true"}, Path(directory)) as serving:
            await check_cross_site(serving, count_orders)
        async with server_processes.running(
            {**env, "GQLSTOCK_PUBLIC_INTROSPECTION": "false"}, Path(directory)
        ) as serving:
            await check_suggestions(serving, token)


async def main(given: argparse.Namespace) -> None:
    if given.fuzz:
        await fuzzing.fuzz(given.fuzz, given.database, given.redis, report)
    else:
        await check_all()
    print(f"{len(failed)} failed: {', '.join(failed)}" if failed else "All checks passed.")


parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument(
    "--fuzz",
    type=int,
    nargs="?",
    const=600,
    metavar="SECONDS",
    help="run only schemathesis, for SECONDS without a token and again with one (default: 600)",
)
parser.add_argument("--database", metavar="URL", help="an empty database to fuzz (default: a new SQLite file)")
parser.add_argument("--redis", metavar="URL", help="the Redis of the fuzzed server")
asyncio.run(main(parser.parse_args()))
sys.exit(1 if failed else 0)
