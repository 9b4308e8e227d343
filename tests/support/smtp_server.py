"""A real SMTP server on a free port, which stores accepted letters, and rejects others as configured."""

import asyncio
import contextlib
import email
import email.policy
import time
from collections.abc import Iterator
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from support import server_processes

PATIENCE = 20.0


class Postbox:
    """``refusals``: the answers that reject a recipient, each used once; "*" is used always."""

    def __init__(self) -> None:
        self.letters: list[EmailMessage] = []
        self.refusals: dict[str, list[str]] = {}
        self.port = server_processes.free_port()
        self.keeps_waiting = False
        """Whether it accepts connections, but never responds to a letter."""

    @property
    def env(self) -> dict[str, str]:
        return {"GQLSTOCK_SMTP_URL": f"smtp://127.0.0.1:{self.port}", "GQLSTOCK_MAIL_FROM": "shop@gqlstock.example"}

    def has(self, count: int) -> list[EmailMessage]:
        """Wait until that many letters have arrived, not counting repeats; from a thread."""
        until = time.monotonic() + PATIENCE
        while (come := len({letter["Message-ID"] for letter in self.letters})) < count:
            assert time.monotonic() < until, f"{come} of {count} letters have come"
            time.sleep(0.02)
        return self.letters

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any) -> str:
        while self.keeps_waiting:  # noqa: ASYNC110  # set by another thread
            await asyncio.sleep(0.05)
        told = self.refusals.get(address)
        if told:
            return told.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        letter = email.message_from_bytes(envelope.content, policy=email.policy.default)
        assert isinstance(letter, EmailMessage)
        self.letters.append(letter)
        return "250 OK"


def text(letter: EmailMessage, kind: str = "plain") -> str:
    part = letter.get_body((kind,))
    assert part is not None
    told: str = part.get_content()
    return told.replace("\r\n", "\n")


@contextlib.contextmanager
def open_postbox(account: tuple[str, str] | None = None) -> Iterator[Postbox]:
    """A running postbox. With an account, it accepts letters only after a login."""
    made = Postbox()

    def knows(_server: Any, _session: Any, _envelope: Any, _mechanism: str, given: Any) -> AuthResult:
        return AuthResult(success=(given.login.decode(), given.password.decode()) == account, handled=False)

    asked = {"authenticator": knows, "auth_required": True, "auth_require_tls": False} if account else {}
    controller = Controller(made, hostname="127.0.0.1", port=made.port, **asked)
    controller.start()
    try:
        yield made
    finally:
        controller.stop()
