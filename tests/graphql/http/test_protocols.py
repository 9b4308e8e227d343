"""What people who never heard of gqlstock ask of a GraphQL server: over HTTP, websockets and server-sent events."""

import asyncio
import json
import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from support import server_processes
from support import shop_builders as make
from support.server_processes import Server

CLIENTS = Path(__file__).parents[2] / "clients"
PATIENCE = 90

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(
        "CI" not in os.environ and not ((CLIENTS / "node_modules").is_dir() and shutil.which("node")),
        reason="needs node, and npm ci in tests/clients",
    ),
]


@pytest.fixture
async def serving(db: None, database_env: dict[str, str], tmp_path: Path) -> AsyncIterator[Server]:
    await make.shop()
    await make.product("MUG")
    await make.stock("MUG", on_hand=10)
    async with server_processes.running(database_env, tmp_path) as started:
        yield started


async def told(script: str, *arguments: str) -> list[dict[str, Any]]:
    """What a script of the clients says, line by line."""
    process = await asyncio.create_subprocess_exec(
        "node", str(CLIENTS / script), *arguments, stdout=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(PATIENCE):
        output, _ = await process.communicate()
    assert process.returncode == 0
    return [json.loads(line) for line in output.splitlines()]


async def test_graphql_over_http_is_as_its_specification_says(serving: Server) -> None:
    audits = await told("audit.mjs", serving.url)

    assert [audit for audit in audits if audit["status"] != "ok"] == []
    assert len(audits) == 61
    assert "Traceback" not in serving.log.read_text()


@pytest.mark.parametrize(("script", "cases"), [("sockets.mjs", 34), ("events.mjs", 10)])
async def test_the_protocols_of_subscriptions_are_as_their_clients_expect(
    serving: Server, script: str, cases: int
) -> None:
    results = await told(script, serving.url, await make.token("inventory:read"))

    assert [result for result in results if result["got"] != result["wanted"]] == []
    assert len(results) == cases
    assert "Traceback" not in serving.log.read_text()
