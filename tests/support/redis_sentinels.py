"""A Redis master and a replica with three Sentinels, of which any can be killed or frozen."""

import asyncio
import contextlib
import signal
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

from redis.asyncio import Redis
from redis.exceptions import RedisError

from support.server_processes import PATIENCE, free_port

SERVICE = "stock"
_SENTINELS = 3
_CONFIGURATION = f"""
sentinel monitor {SERVICE} 127.0.0.1 {{master}} 2
sentinel down-after-milliseconds {SERVICE} 1000
sentinel failover-timeout {SERVICE} 5000
"""


class RedisPair:
    """``ports``: of the two servers, the first of which begins as the master."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._processes: dict[int, subprocess.Popen[bytes]] = {}
        self.ports = free_port(), free_port()
        self._sentinels = [free_port() for _ in range(_SENTINELS)]

    @property
    def url(self) -> str:
        addresses = ",".join(f"127.0.0.1:{port}" for port in self._sentinels)
        return f"redis+sentinel://{addresses}/{SERVICE}/0"

    async def start(self) -> None:
        master, replica = self.ports
        self._run(master, "")
        self._run(replica, f"replicaof 127.0.0.1 {master}")
        async with asyncio.timeout(PATIENCE):
            await _until(lambda: _is_replicating(replica))
            # They ask the master for its replicas when they start, and then only every ten seconds.
            for port in self._sentinels:
                self._run(port, _CONFIGURATION.format(master=master), "--sentinel")
            for port in self._sentinels:
                await _until(lambda port=port: _knows_all(port))

    def _run(self, port: int, configuration: str, *arguments: str) -> None:
        # Sentinels write what they learn into their files.
        file = self._directory / f"redis-{port}.conf"
        file.write_text(f"port {port}\nbind 127.0.0.1\ndir {self._directory}\n{configuration}\n")
        if not arguments:
            arguments = ("--save", "", "--dbfilename", f"{port}.rdb", "--repl-diskless-sync-delay", "0")
        command = ["redis-server", str(file), *arguments]
        self._processes[port] = subprocess.Popen(command, stdout=subprocess.DEVNULL)

    def kill(self, port: int) -> None:
        self._processes[port].kill()
        self._processes[port].wait(10)

    def freeze(self, port: int) -> None:
        """Let the process keep its connections, but do nothing."""
        self._processes[port].send_signal(signal.SIGSTOP)

    async def until_listened_to(self, port: int, channel: str, listeners: int) -> None:
        """Wait until so many connections listen to a channel of a server."""

        async def are_there() -> bool:
            async with Redis(port=port) as server:
                return bool((await server.pubsub_numsub(channel))[0][1] == listeners)

        async with asyncio.timeout(PATIENCE):
            await _until(are_there)

    def stop(self) -> None:
        for process in self._processes.values():
            process.kill()
            process.wait(10)


@contextlib.asynccontextmanager
async def running(directory: Path) -> AsyncIterator[RedisPair]:
    pair = RedisPair(directory)
    try:
        await pair.start()
        yield pair
    finally:
        pair.stop()


async def _is_replicating(port: int) -> bool:
    async with Redis(port=port) as server:
        return bool((await server.info("replication")).get("master_link_status") == "up")


async def _knows_all(port: int) -> bool:
    """Whether a Sentinel knows the other ones and the replica."""
    async with Redis(port=port) as sentinel:
        state = (await sentinel.sentinel_masters())[SERVICE]
        return (state["num-other-sentinels"], state["num-slaves"]) == (_SENTINELS - 1, 1)


async def _until(holds: Callable[[], Awaitable[bool]]) -> None:
    while True:
        with contextlib.suppress(OSError, RedisError):
            if await holds():
                return
        await asyncio.sleep(0.1)
