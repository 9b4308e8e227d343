"""A server for browser tests that can be stopped for a while."""

import contextlib
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

from support import server_processes

# The pages must not depend on public introspection or on CORS.
SETTINGS = {"GQLSTOCK_PUBLIC_INTROSPECTION": "false", "GQLSTOCK_CORS_ORIGINS": "https://shop.example"}


class Shop:
    """A server for all tests of a module. Each test uses its own item."""

    def __init__(self, env: Mapping[str, str], directory: Path) -> None:
        self._env = {**env, **SETTINGS}
        self._directory = directory
        self.server = server_processes.start(self._env, directory)

    def url(self, page: str = "", token: str | None = None) -> str:
        """The URL of a page, such as ``stock?show=low``. With a token, the page signs in."""
        return f"http://127.0.0.1:{self.server.port}/{page}" + (f"#token={token}" if token else "")

    @contextlib.asynccontextmanager
    async def away(self) -> AsyncIterator[None]:
        """Kill the server for the duration of the block. Restart it on the same port afterwards."""
        server_processes.kill(self.server)
        try:
            yield
        finally:
            self.server = server_processes.start(self._env, self._directory, self.server.port)
            await server_processes.ready(self.server)
