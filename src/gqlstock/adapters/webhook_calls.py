"""Calls webhooks. The HTTP client is only imported on the first call, because most servers have no webhooks."""

import asyncio
import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Answer:
    """The outcome of a call: a status, or the reason why there is none."""

    status: int | None
    error: str | None

    @property
    def is_taken(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


class Calls(Protocol):
    async def post(self, url: str, body: str, headers: Mapping[str, str]) -> Answer:
        """Call a URL. Errors are part of the answer."""


class WebhookCalls:
    def __init__(self, *, private_addresses: bool = False) -> None:
        self._private_addresses = private_addresses
        self._http: Any = None

    async def post(self, url: str, body: str, headers: Mapping[str, str]) -> Answer:
        if self._http is None:
            library = await asyncio.to_thread(importlib.import_module, "gqlstock.adapters.http")
            self._http = self._http or library.Http(private_addresses=self._private_addresses)
        answer: Answer = await self._http.post(url, body, headers)
        return answer

    async def aclose(self) -> None:
        if self._http is not None:
            await self._http.aclose()
