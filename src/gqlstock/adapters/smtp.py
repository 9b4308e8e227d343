"""Sends emails through an SMTP server."""

import asyncio
from email.message import EmailMessage

import aiosmtplib
from aiosmtplib import SMTPDataError, SMTPException, SMTPRecipientRefused, SMTPRecipientsRefused

from gqlstock.adapters.mail import NeverSent, NotSent
from gqlstock.rules.providers import SmtpServer

_SECONDS = 45.0
_PERMANENT = 500


class SmtpMail:
    def __init__(self, server: SmtpServer, *, seconds: float = _SECONDS) -> None:
        self._server = server
        self._seconds = seconds

    async def send(self, message: EmailMessage) -> None:
        try:
            # The library's timeout applies to each step of the conversation; this one to all of it.
            async with asyncio.timeout(self._seconds):
                await aiosmtplib.send(
                    message,
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
            raise NotSent(f"The mail server did not accept it within {self._seconds:g} seconds.") from error
        except (SMTPException, OSError) as error:
            raise NotSent(str(error) or type(error).__name__) from error


def _refused(error: SMTPRecipientRefused | SMTPDataError) -> NotSent:
    kind = NeverSent if error.code >= _PERMANENT else NotSent
    return kind(f"{error.code} {error.message}")
