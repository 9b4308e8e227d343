"""Sends emails. Without an SMTP server they are written to the log."""

import logging
from email.message import EmailMessage
from typing import Protocol

log = logging.getLogger(__name__)


class NotSent(Exception):
    """An email was not accepted; the message says why. A retry may succeed."""


class NeverSent(NotSent):
    """An email will never be accepted, for example because the recipient does not exist."""


class Mail(Protocol):
    async def send(self, message: EmailMessage) -> None:
        """Send an email, or raise ``NotSent``."""


class LogMail:
    """Writes emails to the log, as warnings, because they reach nobody."""

    async def send(self, message: EmailMessage) -> None:
        text = message.get_body(("plain",))
        assert text is not None
        log.warning(
            "GQLSTOCK_SMTP_URL is not set; not sent to %s: %s\n%s",
            message["To"],
            message["Subject"],
            text.get_content(),
        )
