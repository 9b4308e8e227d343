"""The loads of one read. Two of its tasks do not load records of a kind at the same time."""

import asyncio


class Loads:
    def __init__(self) -> None:
        self.running: dict[str, asyncio.Event | None] = {}
        """The kinds of records that a task loads. The event is there if another task waits for it."""

    async def wait(self, kind: str) -> None:
        """Wait until no task loads records of a kind."""
        while kind in self.running:
            done = self.running[kind]
            if done is None:
                done = self.running[kind] = asyncio.Event()
            await done.wait()

    def begin(self, kind: str) -> None:
        """A task loads records of a kind. None may be running."""
        self.running[kind] = None

    def finish(self, kind: str) -> None:
        done = self.running.pop(kind)
        if done is not None:
            done.set()
