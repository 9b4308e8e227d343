"""Writes rows of CSV that a spreadsheet shows and does not run."""

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any

import orjson

from gqlstock.rules import formulas

SEPARATOR = "; "
"""Between several things in one cell."""


def encoded(rows: Iterable[Sequence[Any]]) -> bytes:
    """The lines of these rows. None is an empty cell; lists and objects are written as JSON."""
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
