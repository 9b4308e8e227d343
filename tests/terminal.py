"""Commands as a person runs them: in this process, or in one of their own that is stopped by a signal."""

import os
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from signal import Signals
from subprocess import PIPE, Popen

from typer.testing import Result

Run = Callable[..., Result]
"""Runs a command on the test's database; ``env`` names another environment."""

Fill = Callable[[Callable[[], Awaitable[object]]], None]
"""Does something with the test's database between two commands."""

PATIENCE = 30


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


def stopped(process: Popen[str], signal: Signals) -> tuple[int, str]:
    """The exit code and the stderr of a process that is sent a signal."""
    process.send_signal(signal)
    _, stderr = process.communicate(timeout=PATIENCE)
    return process.returncode, stderr
