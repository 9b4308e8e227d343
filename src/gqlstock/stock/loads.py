"""The running loads of a read. No two of its tasks load records of one kind at the same time."""

import asyncio


class Loads:
    def __init__(self) -> None:
        self.running: dict[str, asyncio.Event | None] = {}
        """The kinds of records that are being loaded, each with an event if another task waits for it."""

    async def wait(self, kind: str) -> None:
        """Wait until no task is loading records of a kind."""
        while kind in self.running:
            done = self.running[kind]
            if done is None:
                done = self.running[kind] = asyncio.Event()
            await done.wait()

    def begin(self, kind: str) -> None:
        """Register that a task loads records of a kind. No other task may be loading them."""
        self.running[kind] = None

    def finish(self, kind: str) -> None:
        done = self.running.pop(kind)
        if done is not None:
            done.set()
