"""Whether the process lives, and whether it can do its work."""

from collections.abc import Awaitable, Callable, Sequence

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

Check = Callable[[], Awaitable[object]]


async def live(_: Request) -> Response:
    """The process answers."""
    return PlainTextResponse("ok\n")


def ready(checks: Sequence[tuple[str, Check]]) -> Callable[[Request], Awaitable[Response]]:
    """The endpoint that answers 200 when every check passes, else 503 with what does not answer."""

    async def respond(_: Request) -> Response:
        failed = []
        for name, check in checks:
            try:
                await check()
            except Exception:
                failed.append(name)
        if failed:
            return PlainTextResponse(f"does not answer: {', '.join(failed)}\n", status_code=503)
        return PlainTextResponse("ok\n")

    return respond
