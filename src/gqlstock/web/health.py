"""Whether the process lives, and whether it can do its work."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from gqlstock.web.stopping import Stopping

# Whoever probes gives up after a few seconds; so does a check.
_SECONDS = 3.0

Check = Callable[[], Awaitable[object]]


async def live(_: Request) -> Response:
    """The process answers."""
    return PlainTextResponse("ok\n")


def ready(checks: Sequence[tuple[str, Check]], stopping: Stopping) -> Callable[[Request], Awaitable[Response]]:
    """The endpoint that answers 200 when every check passes in time, else 503 with what does not answer."""

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
    # Not asyncio.timeout: the end of a statement that the database does not hear of may be long in coming.
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
