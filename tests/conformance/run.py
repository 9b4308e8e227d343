"""Runs every outside check against a server of its own and the exported schema; ends with 1 if one of them fails."""

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
GUESSING_SECONDS = 30

failed: list[str] = []


def told(name: str, passed: int, total: int, wrong: str = "") -> None:
    if passed != total or not total:
        failed.append(name)
    print(f"{'ok  ' if passed == total and total else 'FAIL'}  {name}: {passed} of {total}", flush=True)
    if wrong:
        print("      " + wrong.strip().replace("\n", "\n      "), flush=True)


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


def one(name: str, *commands: tuple[object, ...], cwd: Path = HERE) -> None:
    """A check that passes or fails as a whole."""
    for command in commands:
        done = run(*command, cwd=cwd)
        if done.returncode:
            told(name, 0, 1, done.stdout[-2_000:])
            return
    told(name, 1, 1)


def cases(name: str, script: Path, *arguments: str, right: Callable[[dict[str, object]], bool]) -> None:
    """A check that tells its cases, line by line."""
    done = run("node", script, *arguments, cwd=script.parent)
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    wrong = [json.dumps(line) for line in lines if not right(line)]
    if done.returncode:
        wrong.append(done.stdout[-500:])
    told(name, len(lines) - len(wrong), len(lines), "\n".join(wrong))


def as_wanted(line: dict[str, object]) -> bool:
    return "got" in line and line["got"] == line["wanted"]


def of_the_schema() -> None:
    one("graphql-eslint, schema-recommended and relay", ("node", "lint.mjs", SCHEMA))
    inspector = HERE / "node_modules" / ".bin" / "graphql-inspector"
    one(
        "graphql-inspector validate",
        *((inspector, "validate", page, SCHEMA) for page in sorted(PAGES.glob("*.graphql"))),
    )
    one(
        "graphql-codegen and tsc --strict",
        (HERE / "node_modules" / ".bin" / "graphql-codegen", "--config", "codegen.config.ts"),
        (HERE / "node_modules" / ".bin" / "tsc", "--strict", "--noEmit", "--skipLibCheck", "generated/operations.ts"),
    )


async def of_the_server(serving: Server, token: str) -> None:
    work = asyncio.to_thread
    audits = CLIENTS / "audit.mjs"
    await work(cases, "graphql-http serverAudits", audits, serving.url, right=lambda line: line["status"] == "ok")
    await work(cases, "graphql-ws", CLIENTS / "sockets.mjs", serving.url, token, right=as_wanted)
    await work(cases, "graphql-sse", CLIENTS / "events.mjs", serving.url, token, right=as_wanted)
    await work(cases, "Apollo Client and urql", HERE / "clients.mjs", serving.url, token, right=as_wanted)
    typed = (PYTHON / "python", "typed_client.py", serving.url, token, SCHEMA)
    await work(one, "gql and ariadne-codegen", typed)


async def from_another_site(serving: Server, orders: Callable[[], int]) -> None:
    """The public may order here: whatever a page of another site gets through is seen in the number of orders."""
    before = orders()
    await asyncio.to_thread(
        cases, "a page of another site in Chromium", CLIENTS / "page.mjs", serving.url, right=as_wanted
    )
    told("and nothing was ordered", int(orders() == before), 1)


async def guessing(serving: Server, token: str) -> None:
    """Words that are nearly names: only a server that says what was meant gives the names away, as it does to tokens."""
    query = build_schema(SCHEMA.read_text()).query_type
    assert query is not None
    names = set(query.fields)
    public = await asyncio.to_thread(_guessed, serving, names)
    known = await asyncio.to_thread(_guessed, serving, names, "-H", f"Authorization: Bearer {token}")
    told("clairvoyance recovers no field without a token", int(not public), 1, ", ".join(sorted(public)))
    told(f"and with one, as a proof that it could, {len(known)}", int(len(known) > 0), 1)


def _guessed(serving: Server, names: set[str], *more: str) -> set[str]:
    with tempfile.TemporaryDirectory() as directory:
        words, found = Path(directory) / "words", Path(directory) / "found.json"
        words.write_text("\n".join(sorted({name[:-1] for name in names} - names)[:20]))
        command = (PYTHON / "clairvoyance", "-w", words, "-o", found, "-m", "1", *more, serving.url)
        done = run("timeout", GUESSING_SECONDS, *command)
        # It tells of each field that it found, whether it comes to an end or not.
        text = done.stdout + (found.read_text() if found.exists() else "")
    return {name for name in names if f"'{name}'" in text or f'"{name}"' in text}


async def audits() -> None:
    with tempfile.TemporaryDirectory() as directory:
        url = SqliteFile(str(Path(directory) / "gqlstock.db"))
        env = {"GQLSTOCK_DATABASE_URL": f"sqlite:///{url.path}"}
        await databases.prepare(url)
        async with connection.opened(url, everywhere=True):
            await make.shop()
            await make.product("MUG")
            await make.stock("MUG", on_hand=1_000)
            token = await make.token("admin")

        def orders() -> int:
            with contextlib.closing(sqlite3.connect(url.path)) as opened:
                return int(opened.execute("SELECT count(*) FROM customer_order").fetchone()[0])

        of_the_schema()
        async with server_processes.running(env, Path(directory)) as serving:
            await of_the_server(serving, token)
        async with server_processes.running({**env, "GQLSTOCK_PUBLIC_ORDERS": "true"}, Path(directory)) as serving:
            await from_another_site(serving, orders)
        async with server_processes.running(
            {**env, "GQLSTOCK_PUBLIC_INTROSPECTION": "false"}, Path(directory)
        ) as serving:
            await guessing(serving, token)


async def main(given: argparse.Namespace) -> None:
    if given.fuzz:
        await fuzzing.fuzz(given.fuzz, given.database, given.redis, told)
    else:
        await audits()
    print(f"{len(failed)} failed: {', '.join(failed)}" if failed else "All of it passed.")


parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument(
    "--fuzz", type=int, nargs="?", const=600, metavar="SECONDS", help="schemathesis alone; by default 600"
)
parser.add_argument("--database", metavar="URL", help="an empty one to fuzz on; by default a SQLite file")
parser.add_argument("--redis", metavar="URL", help="for the fuzzed server")
asyncio.run(main(parser.parse_args()))
sys.exit(1 if failed else 0)
