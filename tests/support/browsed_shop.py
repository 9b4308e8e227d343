"""A server that a browser looks at, and that can be away for a while."""

import contextlib
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

from support import server_processes

# What an operator may close to the public and open to other sites is nothing to the pages.
SETTINGS = {"GQLSTOCK_PUBLIC_INTROSPECTION": "false", "GQLSTOCK_CORS_ORIGINS": "https://shop.example"}


class Shop:
    """A server for all tests of a module, of which each has an item of its own."""

    def __init__(self, env: Mapping[str, str], directory: Path) -> None:
        self._env = {**env, **SETTINGS}
        self._directory = directory
        self.server = server_processes.start(self._env, directory)

    def url(self, page: str = "", token: str | None = None) -> str:
        """The address of a page, such as ``stock?show=low``. With a token, it signs in."""
        return f"http://127.0.0.1:{self.server.port}/{page}" + (f"#token={token}" if token else "")

    @contextlib.asynccontextmanager
    async def away(self) -> AsyncIterator[None]:
        """It is gone as by a power cut for the block, and back at the same place after it."""
        server_processes.kill(self.server)
        try:
            yield
        finally:
            self.server = server_processes.start(self._env, self._directory, self.server.port)
            await server_processes.ready(self.server)
