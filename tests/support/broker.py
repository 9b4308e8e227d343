"""A Redis of our own, that can be stopped and started again."""

import asyncio
import contextlib
import signal
import subprocess
from pathlib import Path


class Broker:
    """A Redis on a port, with nothing on disk."""

    def __init__(self, port: int, directory: Path, program: str = "redis-server") -> None:
        self.port = port
        self.url = f"redis://127.0.0.1:{port}/0"
        self._directory = directory
        self._program = program
        self._process: subprocess.Popen[bytes] | None = None

    async def start(self) -> None:
        options = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", str(self._directory)]
        command = [self._program, *options]
        self._process = await asyncio.to_thread(subprocess.Popen, command, stdout=subprocess.DEVNULL)
        async with asyncio.timeout(10):
            while True:
                with contextlib.suppress(OSError):
                    _, writer = await asyncio.open_connection("127.0.0.1", self.port)
                    writer.close()
                    await writer.wait_closed()
                    return
                await asyncio.sleep(0.05)

    def suspend(self) -> None:
        """Let it hang: it keeps its connections and accepts new ones, but does not answer."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def stop(self) -> None:
        """Kill it. Does nothing if it does not run."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)
            self._process = None
