"""Writes JSON Lines: one object a line, in UTF-8."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

import orjson


def encoded(rows: Iterable[Mapping[str, Any]]) -> bytes:
    """The lines of these objects."""
    return b"".join(map(_line, rows))


def _line(row: Mapping[str, Any]) -> bytes:
    try:
        return orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE)
    except orjson.JSONEncodeError:
        # Such as half of a surrogate pair.
        return json.dumps(row, separators=(",", ":")).encode() + b"\n"
