"""The HTTP client of the demo's simulated people, who call the API with their own tokens or as the public."""

import logging
from collections.abc import Mapping
from typing import Any

import httpx

log = logging.getLogger(__name__)


class Api:
    """The URL of a server, and the tokens of its staff by name."""

    def __init__(self, client: httpx.AsyncClient, url: str, tokens: Mapping[str, str]) -> None:
        self._client = client
        self._url = url
        self._headers: dict[str | None, dict[str, str]] = {
            name: {"Authorization": f"Bearer {token}"} for name, token in tokens.items()
        }

    async def ask(self, query: str, variables: Mapping[str, Any], who: str | None = None) -> dict[str, Any]:
        """The data of a response. ``who`` selects a token; None queries as the public.

        Logs GraphQL errors. User errors, such as out of stock, are part of the simulation and are ignored.
        """
        body = {"query": query, "variables": dict(variables)}
        answer = await self._client.post(self._url, json=body, headers=self._headers.get(who, {}))
        answer.raise_for_status()
        response: dict[str, Any] = answer.json()
        for error in response.get("errors", ()):
            log.warning("The server answered: %s", error["message"])
        return response.get("data") or {}

    async def change(self, query: str, argument: Mapping[str, Any], who: str | None = None) -> dict[str, Any]:
        """The payload of a mutation with one field and one ``input`` argument."""
        data = await self.ask(query, {"input": argument}, who)
        payload: dict[str, Any] | None = next(iter(data.values()), None)
        return payload or {}
