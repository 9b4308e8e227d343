"""Commands as a person runs them: in this process, or in one of their own that is stopped by a signal."""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from signal import Signals
from subprocess import PIPE, Popen

from typer.testing import Result

Run = Callable[..., Result]
"""Runs a command on the test's database; ``env`` names another environment."""

Fill = Callable[[Callable[[], Awaitable[object]]], None]
"""Does something with the test's database between two commands."""

PATIENCE = 60


@contextmanager
def running(*arguments: str, env: dict[str, str]) -> Iterator[Popen[str]]:
    """A command in a process of its own, which does not outlive the block."""
    command = [sys.executable, "-m", "gqlstock.cli", *arguments]
    process = subprocess.Popen(command, env={**os.environ, **env}, stdout=PIPE, stderr=PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


@contextmanager
def at_a_terminal(*arguments: str, env: dict[str, str]) -> Iterator[tuple[Popen[str], "Screen"]]:
    """As ``running``, with a terminal for its stderr."""
    command = [sys.executable, "-m", "gqlstock.cli", *arguments]
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
    env = {**os.environ, "TERM": "xterm", "NO_COLOR": "1", **env}
    process = subprocess.Popen(command, env=env, stdout=PIPE, stderr=theirs, text=True)
    os.close(theirs)
    try:
        yield process, Screen(ours)
    finally:
        process.kill()
        process.communicate()
        os.close(ours)


class Screen:
    """What a terminal was sent, without what moves its cursor."""

    def __init__(self, terminal: int) -> None:
        self._terminal = terminal
        self._sent = b""

    def until(self, text: str = "") -> str:
        """All that was sent until that came; to the end without one."""
        while not text or text not in self.text:
            if not select.select([self._terminal], [], [], PATIENCE)[0]:
                raise AssertionError(f"{text!r} did not come: {self.text!r}")
            try:
                sent = os.read(self._terminal, 65_536)
            except OSError:  # nobody has the other end open any more
                sent = b""
            if not sent:
                assert not text, f"{text!r} did not come: {self.text!r}"
                break
            self._sent += sent
        return self.text

    @property
    def text(self) -> str:
        return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]|\r", "", self._sent.decode())


def stopped(process: Popen[str], signal: Signals) -> tuple[int, str]:
    """The exit code and the stderr of a process that is sent a signal."""
    process.send_signal(signal)
    _, stderr = process.communicate(timeout=PATIENCE)
    return process.returncode, stderr
