"""Turns the failure of a command into plain lines for people, and an exit code."""

import logging

from gqlstock.config import ConfigError
from gqlstock.rules.refusals import Refused
from gqlstock.services.status import NotUsable, is_away

log = logging.getLogger(__name__)

_STOPPED = 130


class Failure(Exception):
    """A failed command. The message is the line to print."""


class Stopped(Failure):
    """A command that was interrupted. The message tells the state of the work; the exit code is that of Ctrl-C."""


def lines(error: Exception) -> list[str]:
    """The lines to print for a failure."""
    if isinstance(error, Failure | ConfigError | NotUsable):
        return [str(error)]
    if isinstance(error, Refused):
        return [refusal.message for refusal in error.refusals]
    if isinstance(error, OSError) and error.filename:
        return [f"{error.filename}: {error.strerror}"]
    log.debug("unexpected error", exc_info=error)
    first = next(iter(str(error).splitlines()), "")
    if is_away(error):
        return [f"gqlstock stopped: {first}"]
    return [f"gqlstock stopped because of an unexpected error: {type(error).__name__}: {first}"]


def is_unexpected(error: Exception) -> bool:
    """Whether the work may have ended at any point, rather than in a check."""
    is_of_file = isinstance(error, OSError) and error.filename
    return not (is_of_file or isinstance(error, Failure | ConfigError | NotUsable | Refused))


def exit_code(error: Exception) -> int:
    return _STOPPED if isinstance(error, Stopped) else 1
