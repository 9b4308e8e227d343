"""Formats the log: lines of text or JSON on stderr, each with the id of its request.

A record's ``fields`` become fields of the line.
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
    """The format of log lines."""

    TEXT = "text"
    JSON = "json"


class LogLevel(StrEnum):
    """The lowest level that is logged."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


# These loggers install handlers of their own, or log each request, which duplicates our own line.
_SERVERS = ("uvicorn", "uvicorn.error", "uvicorn.access", "uvicorn.asgi")
# Fields that the message of a text line already contains.
_IN_MESSAGE = ("method", "path", "status", "incident")
_SILENT = "uvicorn.access"
# At debug level these log each statement with its values. What callers send must not reach the log.
_TALKATIVE = ("tortoise", "aiosqlite", "asyncio", "httpx", "httpcore", "websockets")


def configure(form: LogFormat, level: LogLevel) -> None:
    """Make all loggers of this process use one format."""
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


def incident(log: logging.Logger, where: str, error: BaseException, reason: str | None = None) -> str:
    """Log an unexpected error under a new id. Returns the message for callers, which contains only that id.

    ``reason``: the whole explanation, if it is known. The line then has no traceback.
    """
    number = secrets.token_hex(6)
    fields = {"fields": {"incident": number}}
    if reason is None:
        log.error("unexpected error %s %s", number, where, exc_info=error, extra=fields)
    else:
        log.error("error %s %s: %s", number, where, reason, extra=fields)
    return f"Something went wrong on our side (incident {number})."


def _is_ours_to_say(record: logging.LogRecord) -> bool:
    """Drop uvicorn's lines about websockets: they contain the query string, which may contain a token."""
    return '"WebSocket ' not in str(record.msg) and record.msg not in ("connection open", "connection closed")


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    given: dict[str, Any] = getattr(record, "fields", None) or {}
    return given


def _time(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Json(logging.Formatter):
    """One JSON object per line."""

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
            # orjson rejects strings with lone surrogates, which callers may send.
            return json.dumps(line, default=str)


class Text(logging.Formatter):
    """Time, level, logger, request id and message, then fields as name=value. Continuation lines are indented."""

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
