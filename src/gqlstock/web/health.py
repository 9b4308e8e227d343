"""Health checks: whether the process is alive, and whether it is ready to serve."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from gqlstock.web.stopping import Stopping

# Probes give up after a few seconds, so checks do as well.
_SECONDS = 3.0

T = TypeVar("T")
Check = Callable[[], Awaitable[object]]


async def live(_: Request) -> Response:
    """Answer 200: the process is alive."""
    return PlainTextResponse("ok\n")


def ready(checks: Sequence[tuple[str, Check]], stopping: Stopping) -> Callable[[Request], Awaitable[Response]]:
    """An endpoint that answers 200 if every check passes in time, else 503 with the checks that failed."""

    async def respond(_: Request) -> Response:
        if stopping.begun:
            return PlainTextResponse("stopping\n", status_code=503)
        answers = await asyncio.gather(*(_passes(check) for _, check in checks))
        failed = [name for (name, _), passes in zip(checks, answers, strict=True) if not passes]
        if failed:
            return PlainTextResponse(f"does not answer: {', '.join(failed)}\n", status_code=503)
        return PlainTextResponse("ok\n")

    return respond


_late: set[asyncio.Future[Any]] = set()


async def in_time(answer: Awaitable[T]) -> T:
    """The result of an await. Raises ``TimeoutError`` after three seconds."""
    waiting = asyncio.ensure_future(answer)
    # Not asyncio.timeout, which waits for the cancellation: canceling a statement may hang if the database is unreachable.
    await asyncio.wait({waiting}, timeout=_SECONDS)
    if not waiting.done():
        waiting.cancel()
        _late.add(waiting)
        waiting.add_done_callback(_forget)
        raise TimeoutError
    return waiting.result()


async def _passes(check: Check) -> bool:
    try:
        await in_time(check())
    except Exception:
        return False
    return True


def _forget(late: asyncio.Future[Any]) -> None:
    _late.discard(late)
    if not late.cancelled():
        late.exception()
