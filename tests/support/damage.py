"""Damages a SQLite file as a failing disk does."""

import contextlib
import sqlite3
from pathlib import Path

from gqlstock.store.db.connection import SqliteFile


def damage(url: SqliteFile, table: str) -> None:
    """Overwrite the first page of a table."""
    with contextlib.closing(sqlite3.connect(url.path)) as raw:
        (root,) = raw.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)).fetchone()
        (size,) = raw.execute("PRAGMA page_size").fetchone()
    with Path(url.path).open("r+b") as file:
        file.seek((root - 1) * size)
        file.write(b"\xff" * size)
