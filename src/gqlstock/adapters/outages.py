"""Logs an outage of another service as two lines: one when it begins, one when it is over."""

import logging


class Outage:
    """The outage of one service. Attempts that fail in between are not logged."""

    def __init__(self, log: logging.Logger, begun: str, over: str) -> None:
        """``begun`` has ``%s`` for the error."""
        self._log = log
        self._begun = begun
        self._over = over
        self._failing: set[str] = set()

    def failed(self, what: str, error: Exception) -> None:
        """Record a failed attempt. ``what``: what was attempted, of which one may work while another fails."""
        if not self._failing:
            self._log.warning(self._begun, error)
        self._failing.add(what)

    def worked(self, *what: str) -> None:
        """Record an attempt that worked, and what surely works now too."""
        if self._failing:
            self._failing.difference_update(what)
            if not self._failing:
                self._log.warning(self._over)
