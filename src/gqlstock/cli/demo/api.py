"""How the people of the demo's story ask the server: over HTTP, each under a name of their own or as the public."""

import logging
from collections.abc import Mapping
from typing import Any

import httpx

log = logging.getLogger(__name__)


class Api:
    """The address of a server, and the tokens of those who work there."""

    def __init__(self, client: httpx.AsyncClient, url: str, tokens: Mapping[str, str]) -> None:
        self._client = client
        self._url = url
        self._headers: dict[str | None, dict[str, str]] = {
            name: {"Authorization": f"Bearer {token}"} for name, token in tokens.items()
        }

    async def ask(self, query: str, variables: Mapping[str, Any], who: str | None = None) -> dict[str, Any]:
        """The data of an answer; without a name it is the public that asks.

        That something is out of stock is a part of shopping; that it cannot be asked for is not.
        """
        body = {"query": query, "variables": dict(variables)}
        answer = await self._client.post(self._url, json=body, headers=self._headers.get(who, {}))
        answer.raise_for_status()
        told: dict[str, Any] = answer.json()
        for error in told.get("errors", ()):
            log.warning("The server answered: %s", error["message"])
        return told.get("data") or {}

    async def change(self, query: str, given: Mapping[str, Any], who: str | None = None) -> dict[str, Any]:
        """The payload of a mutation of one field, which takes one ``input``."""
        data = await self.ask(query, {"input": given}, who)
        payload: dict[str, Any] | None = next(iter(data.values()), None)
        return payload or {}
