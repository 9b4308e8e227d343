"""A GraphQL client over HTTP with tokens of the scopes it needs, and row counts of all tables."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import httpx
from tortoise import Tortoise

from gqlstock.store.db import sql
from support import shop_builders as make

ERRORS = "userErrors { __typename code message path }"


class Client:
    """Sends requests with a token, or without one as the public."""

    def __init__(self, http: httpx.AsyncClient, warehouses: Sequence[str] = ()) -> None:
        self.http = http
        self._warehouses = warehouses
        self._within: dict[tuple[str, ...], Client] = {}
        self._tokens: dict[tuple[str, ...], str] = {}
        self._making = asyncio.Lock()

    def within(self, *warehouses: str) -> "Client":
        """A client whose tokens are limited to these warehouses."""
        return self._within.setdefault(warehouses, Client(self.http, warehouses))

    async def token(self, *scopes: str) -> str:
        """A token with these scopes, created once."""
        async with self._making:
            if scopes not in self._tokens:
                self._tokens[scopes] = await self._made(*scopes)
            return self._tokens[scopes]

    async def _made(self, *scopes: str) -> str:
        """Create a token for this client alone."""
        name = " ".join(["test", *scopes, *self._warehouses])
        return await make.token(*scopes, name=name, warehouses=self._warehouses)

    async def ask(
        self, query: str, variables: Mapping[str, Any] | None = None, *, token: str | None = None
    ) -> dict[str, Any]:
        """Send a request, and return the whole answer."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        body = {"query": query, "variables": dict(variables or {})}
        answer = await self.http.post("/graphql", json=body, headers=headers)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def scoped(self, scopes: str, query: str, **variables: Any) -> dict[str, Any]:
        """The whole answer to a caller with these scopes, separated by spaces."""
        return await self.ask(query, variables, token=await self.token(*scopes.split()))

    async def admin(self, query: str, **variables: Any) -> dict[str, Any]:
        """The data for an admin. The answer must have no errors."""
        return _data(await self.scoped("admin", query, **variables))

    async def public(self, query: str, **variables: Any) -> dict[str, Any]:
        """The data for the public. The answer must have no errors."""
        return _data(await self.ask(query, variables))

    async def change(self, mutation: str, fields: str = "", *, caller: str = "admin", **given: Any) -> dict[str, Any]:
        """The payload of a mutation, including its user errors."""
        name = f"{mutation[0].upper()}{mutation[1:]}Input"
        query = f"mutation($input: {name}!) {{ {mutation}(input: $input) {{ {fields} {ERRORS} }} }}"
        return _data(await self.scoped(caller, query, input=given))[mutation]

    async def done(self, mutation: str, fields: str = "__typename", **given: Any) -> dict[str, Any]:
        """The payload of a mutation, which must have no user errors."""
        payload = await self.change(mutation, fields, **given)
        assert payload["userErrors"] == []
        return payload

    async def refused(self, mutation: str, **given: Any) -> list[tuple[str, list[str]]]:
        """The code and path of each user error of a mutation that must write nothing."""
        before = await row_counts()
        payload = await self.change(mutation, **given)
        assert await row_counts() == before
        return [(error["code"], error["path"]) for error in payload["userErrors"]]


def _data(answer: dict[str, Any]) -> dict[str, Any]:
    assert "errors" not in answer, answer["errors"]
    return answer["data"]


def codes(answer: Mapping[str, Any]) -> list[tuple[str, list[Any] | None]]:
    """The code and path of each top-level error."""
    return [(error["extensions"]["code"], error.get("path")) for error in answer.get("errors", [])]


async def row_counts() -> dict[str, int]:
    """The number of rows in each table.

    Excludes tokens, which tests create on demand, their outbox entries, and refusals stored under idempotency keys.
    """
    tables = [model._meta.db_table for model in Tortoise.apps["gqlstock"].values() if model.__name__ != "ApiToken"]
    counted = {table: table for table in tables}
    counted |= {"kept_answer": "kept_answer WHERE NOT refused", "outbox": "outbox WHERE topic <> 'TOKENS'"}
    union = " UNION ALL ".join(
        f"SELECT '{table}' AS name, COUNT(*) AS rows_there FROM {rows}" for table, rows in counted.items()
    )
    return {row["name"]: row["rows_there"] for row in await sql.query(union)}
