"""Signatures of webhooks, by the library that receivers check them with."""

from datetime import datetime

from standardwebhooks import Webhook


def sign(secret: str, message_id: str, at: datetime, body: str) -> str:
    """The signature of a message that is sent at that moment, as the Standard Webhooks specification says."""
    return Webhook(secret).sign(message_id, at, body)
