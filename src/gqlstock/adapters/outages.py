"""Logs an outage of another service as two lines: one when it begins and one when it ends."""

import logging


class Outage:
    """The outage of one service. Attempts that fail in between are not logged."""

    def __init__(self, log: logging.Logger, begun: str, over: str) -> None:
        """``begun`` has ``%s`` for the error."""
        self._log = log
        self._begun = begun
        self._over = over
        self._failing: set[str] = set()

    def failed(self, what: str, error: object) -> None:
        """Record a failed attempt at the operation ``what``. Other operations of the service may still work."""
        if not self._failing:
            self._log.warning(self._begun, error)
        self._failing.add(what)

    def worked(self, *what: str) -> None:
        """Record the operations that are known to work now. The outage ends when none is failing."""
        if self._failing:
            self._failing.difference_update(what)
            if not self._failing:
                self._log.warning(self._over)
