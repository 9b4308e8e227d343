"""The form of the log: lines of text or of JSON on stderr, each with the id of the request that it belongs to.

What is logged stands where it happens; a record's ``fields`` become fields of the line.
"""

import json
import logging
import secrets
import sys
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import orjson

from gqlstock import trail


class LogFormat(StrEnum):
    """How a line is written."""

    TEXT = "text"
    JSON = "json"


class LogLevel(StrEnum):
    """The least that is written."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


# These have handlers of their own before we come, or write for each request what our own line says.
_SERVERS = ("uvicorn", "uvicorn.error", "uvicorn.access", "uvicorn.asgi")
# A line of text says these in its message.
_IN_MESSAGE = ("method", "path", "status", "incident")
_SILENT = "uvicorn.access"
# At debug they write a line for each statement, with its values: what callers send stays out of the log.
_TALKATIVE = ("tortoise", "aiosqlite", "asyncio", "httpx", "httpcore", "websockets")


def configure(form: LogFormat, level: LogLevel) -> None:
    """Have everything in this process log in one form."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Json() if form is LogFormat.JSON else Text())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in _SERVERS:
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.setLevel(logging.NOTSET)
        logger.propagate = name != _SILENT
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(max(logging.INFO, root.level))
    logging.getLogger(_SILENT).disabled = True
    logging.getLogger("uvicorn.error").addFilter(_is_ours_to_say)
    logging.captureWarnings(True)


def incident(log: logging.Logger, where: str, error: BaseException) -> str:
    """Log what nobody foresaw under an id; gives what callers are told, which is that id alone."""
    number = secrets.token_hex(6)
    log.error("unexpected error %s %s", number, where, exc_info=error, extra={"fields": {"incident": number}})
    return f"Something went wrong on our side (incident {number})."


def _is_ours_to_say(record: logging.LogRecord) -> bool:
    """Not what a server says of each websocket: it says it with the query string, in which there may be a token."""
    return '"WebSocket ' not in str(record.msg) and record.msg not in ("connection open", "connection closed")


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    given: dict[str, Any] = getattr(record, "fields", None) or {}
    return given


def _time(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Json(logging.Formatter):
    """One object for each line."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        request_id = trail.request_id()
        if request_id is not None:
            line["request_id"] = request_id
        line |= _fields(record)
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        try:
            return orjson.dumps(line, default=str).decode()
        except TypeError:
            # Such as half of a surrogate pair in what a caller sent.
            return json.dumps(line, default=str)


class Text(logging.Formatter):
    """Time, level, logger, the request's id, and what is said; fields as name=value. What goes on is set in."""

    def format(self, record: logging.LogRecord) -> str:
        head = f"{_time(record)} {record.levelname:<7} {record.name} {trail.request_id() or '-'}"
        fields = [f"{name}={_shown(value)}" for name, value in _fields(record).items() if name not in _IN_MESSAGE]
        lines = [" ".join([head, record.getMessage(), *fields])]
        if record.exc_info:
            lines.append(self.formatException(record.exc_info))
        return "\n".join(lines).replace("\n", "\n    ")


def _shown(value: Any) -> str:
    text = str(value)
    return text if text.isprintable() and " " not in text and '"' not in text else json.dumps(text)
