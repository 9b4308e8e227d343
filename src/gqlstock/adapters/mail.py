"""Sending a letter: through an SMTP server, or into the log where there is none."""

import asyncio
import logging
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Protocol

import aiosmtplib
from aiosmtplib import SMTPDataError, SMTPException, SMTPRecipientRefused, SMTPRecipientsRefused

log = logging.getLogger(__name__)

_SECONDS = 45.0
_PERMANENT = 500


class NotSent(Exception):
    """A letter that was not taken; says why. It may be the next time."""


class NeverSent(NotSent):
    """A letter that will not be taken however often it is sent: there is no such recipient."""


class Mail(Protocol):
    async def send(self, letter: EmailMessage) -> None:
        """Send a letter, or raise ``NotSent``."""


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """``tls``: from the first byte; else as soon as the server offers it."""

    host: str
    port: int
    user: str | None = None
    password: str | None = None
    tls: bool = False


class SmtpMail:
    def __init__(self, server: SmtpServer, *, seconds: float = _SECONDS) -> None:
        self._server = server
        self._seconds = seconds

    async def send(self, letter: EmailMessage) -> None:
        try:
            # The library's own time is for each step of the conversation; this is for all of it.
            async with asyncio.timeout(self._seconds):
                await aiosmtplib.send(
                    letter,
                    hostname=self._server.host,
                    port=self._server.port,
                    username=self._server.user,
                    password=self._server.password,
                    use_tls=self._server.tls,
                    timeout=self._seconds,
                )
        except SMTPRecipientsRefused as error:
            raise _refused(error.recipients[0]) from error
        except SMTPRecipientRefused as error:
            raise _refused(error) from error
        except SMTPDataError as error:
            raise _refused(error) from error
        except TimeoutError as error:
            raise NotSent(f"The mail server did not take it within {self._seconds:g} seconds.") from error
        except (SMTPException, OSError) as error:
            raise NotSent(str(error) or type(error).__name__) from error


def _refused(error: SMTPRecipientRefused | SMTPDataError) -> NotSent:
    kind = NeverSent if error.code >= _PERMANENT else NotSent
    return kind(f"{error.code} {error.message}")


class LogMail:
    """Writes letters to the log, as a warning: they reach nobody."""

    async def send(self, letter: EmailMessage) -> None:
        text = letter.get_body(("plain",))
        assert text is not None
        log.warning(
            "GQLSTOCK_SMTP_URL is not set; a letter to %s: %s\n%s", letter["To"], letter["Subject"], text.get_content()
        )
