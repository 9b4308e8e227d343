"""Sending a letter: into the log where there is no SMTP server."""

import logging
from email.message import EmailMessage
from typing import Protocol

log = logging.getLogger(__name__)


class NotSent(Exception):
    """A letter that was not taken; says why. It may be the next time."""


class NeverSent(NotSent):
    """A letter that will not be taken however often it is sent: there is no such recipient."""


class Mail(Protocol):
    async def send(self, letter: EmailMessage) -> None:
        """Send a letter, or raise ``NotSent``."""


class LogMail:
    """Writes letters to the log, as a warning: they reach nobody."""

    async def send(self, letter: EmailMessage) -> None:
        text = letter.get_body(("plain",))
        assert text is not None
        log.warning(
            "GQLSTOCK_SMTP_URL is not set; a letter to %s: %s\n%s", letter["To"], letter["Subject"], text.get_content()
        )
