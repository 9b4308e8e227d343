"""Responses sent in parts, until they end, the client disconnects or the server stops them."""

import asyncio
from collections.abc import Collection
from typing import Any

from starlette.types import Receive

Task = asyncio.Task[Any]


async def until_one_ends(tasks: Collection[Task]) -> None:
    """Wait until one of the tasks ends, and cancel the others."""
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def gone(receive: Receive) -> None:
    """Wait until the client has disconnected."""
    while (await receive())["type"] != "http.disconnect":
        pass


def part(content: bytes) -> dict[str, Any]:
    """The ASGI message for one part of a response; more parts follow."""
    return {"type": "http.response.body", "body": content, "more_body": True}
