"""Health checks: whether the process is alive, and whether it is ready to serve."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from gqlstock.web.stopping import Stopping

# Probes give up after a few seconds, so checks do as well.
_SECONDS = 3.0

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


_late: set[asyncio.Future[object]] = set()


async def _passes(check: Check) -> bool:
    checking = asyncio.ensure_future(check())
    # Not asyncio.timeout, which waits for the cancellation: canceling a statement may hang if the database is unreachable.
    await asyncio.wait({checking}, timeout=_SECONDS)
    if not checking.done():
        checking.cancel()
        _late.add(checking)
        checking.add_done_callback(_forget)
        return False
    return checking.exception() is None


def _forget(checking: asyncio.Future[object]) -> None:
    _late.discard(checking)
    if not checking.cancelled():
        checking.exception()
