"""Counts the SQL statements that the process sends to its database."""

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager

_VALIDATIONS = re.compile(r"sqlite_sequence|topic, item_id FROM outbox")


class Statements(logging.Handler):
    """The SQL statements sent while it listens, without validations.

    The number of statements of a validation depends on what was written before.
    """

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.sent: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        told = record.getMessage()
        if not told.startswith(("Created connection", "Closed connection")) and not _VALIDATIONS.search(told):
            self.sent.append(told)

    @contextmanager
    def counted(self) -> Iterator[list[str]]:
        """The statements sent during the block."""
        self.sent = []
        log = logging.getLogger("tortoise.db_client")
        level = log.level
        log.addHandler(self)
        log.setLevel(logging.DEBUG)
        try:
            yield self.sent
        finally:
            log.removeHandler(self)
            log.setLevel(level)
