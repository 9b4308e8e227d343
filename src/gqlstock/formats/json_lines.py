"""Writes JSON Lines: one object per line, in UTF-8."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

import orjson


def encoded(rows: Iterable[Mapping[str, Any]]) -> bytes:
    """Encode objects as lines."""
    return b"".join(map(_line, rows))


def _line(row: Mapping[str, Any]) -> bytes:
    try:
        return orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE)
    except orjson.JSONEncodeError:
        # orjson rejects strings with lone surrogates; json escapes them.
        return json.dumps(row, separators=(",", ":")).encode() + b"\n"
