"""Runs commands: in this process, or in a process of their own that a signal stops."""

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
"""Runs a command on the test's database. ``env``: another environment."""

Fill = Callable[[Callable[[], Awaitable[object]]], None]
"""Changes the test's database between two commands."""

PATIENCE = 60


@contextmanager
def running(*arguments: str, env: dict[str, str]) -> Iterator[Popen[str]]:
    """Run a command in a process of its own, which is ended with the block."""
    command = [sys.executable, "-m", "gqlstock.cli", *arguments]
    process = subprocess.Popen(command, env={**os.environ, **env}, stdout=PIPE, stderr=PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


@contextmanager
def at_a_terminal(*arguments: str, env: dict[str, str]) -> Iterator[tuple[Popen[str], "Screen"]]:
    """Like ``running``, with a terminal as its stderr."""
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
    """The text sent to a terminal, without cursor movements."""

    def __init__(self, terminal: int) -> None:
        self._terminal = terminal
        self._sent = b""

    def until(self, text: str = "") -> str:
        """Everything sent until that text appears; without one, until the end."""
        while not text or text not in self.text:
            if not select.select([self._terminal], [], [], PATIENCE)[0]:
                raise AssertionError(f"{text!r} did not come: {self.text!r}")
            try:
                sent = os.read(self._terminal, 65_536)
            except OSError:  # the other end is closed
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
    """Send a signal to a process, and return its exit code and stderr."""
    process.send_signal(signal)
    _, stderr = process.communicate(timeout=PATIENCE)
    return process.returncode, stderr
