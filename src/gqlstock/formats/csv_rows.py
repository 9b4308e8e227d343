"""Writes CSV rows that are safe to open in a spreadsheet: it shows formulas as text instead of running them."""

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any

import orjson

from gqlstock.rules import formulas

SEPARATOR = "; "
"""Separates several values in one cell."""


def encoded(rows: Iterable[Sequence[Any]]) -> bytes:
    """Encode rows as CSV lines. None becomes an empty cell; lists and objects become JSON."""
    written = io.StringIO(newline="")
    csv.writer(written, lineterminator="\n").writerows(map(_cell, row) for row in rows)
    return written.getvalue().encode("utf-8", "backslashreplace")


def _cell(value: Any) -> Any:
    if isinstance(value, str):
        return formulas.guard(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | dict):
        return orjson.dumps(value).decode() if value else ""
    return value
