"""Concurrent clients on real server processes; two processes on PostgreSQL."""

import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from gqlstock.store.db import connection
from support import server_processes
from support import shop_builders as make
from support.server_processes import Server


@dataclass
class Crowd:
    """Sends calls to the servers in turn."""

    http: httpx.AsyncClient
    servers: list[Server]
    sent: int = 0

    async def do(self, mutation: str, fields: str, **given: Any) -> Any:
        """Run a mutation, and return its payload or the code of its refusal."""
        self.sent += 1
        at = self.servers[self.sent % len(self.servers)]
        name = f"{mutation[0].upper()}{mutation[1:]}Input"
        query = f"mutation($input: {name}!) {{ {mutation}(input: $input) {{ {fields} userErrors {{ code }} }} }}"
        payload = (await server_processes.ask(self.http, at, query, input=given))[mutation]
        errors = payload.pop("userErrors")
        return errors[0]["code"] if errors else payload


@contextlib.asynccontextmanager
async def clients_and_servers(
    env: Mapping[str, str], directory: Path
) -> AsyncIterator[tuple[httpx.AsyncClient, list[Server]]]:
    """Running servers, and a client that may read and write stock and orders."""
    token = await make.token("orders:write", "inventory:write", "orders:read", "inventory:read")
    async with contextlib.AsyncExitStack() as stack:
        servers = [
            await stack.enter_async_context(server_processes.running(env, directory))
            for _ in range(2 if connection.is_postgres() else 1)
        ]
        yield await stack.enter_async_context(server_processes.client(token)), servers
