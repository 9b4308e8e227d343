"""How the failure of a command is told: as plain lines for people."""

import logging

from gqlstock.config import ConfigError
from gqlstock.rules.refusals import Refused
from gqlstock.services.status import NotUsable

log = logging.getLogger(__name__)

_STOPPED = 130


class Failure(Exception):
    """What went wrong, as the line that is printed."""


class Stopped(Failure):
    """What became of the work that a person stopped; the exit code is that of Ctrl-C."""


def lines(error: Exception) -> list[str]:
    """A failure as lines for people."""
    if isinstance(error, Failure | ConfigError | NotUsable):
        return [str(error)]
    if isinstance(error, Refused):
        return [refusal.message for refusal in error.refusals]
    if isinstance(error, OSError) and error.filename:
        return [f"{error.filename}: {error.strerror}"]
    log.debug("unforeseen", exc_info=error)
    first = next(iter(str(error).splitlines()), "")
    return [f"gqlstock stopped over an error that it did not foresee: {type(error).__name__}: {first}"]


def exit_code(error: Exception) -> int:
    return _STOPPED if isinstance(error, Stopped) else 1
