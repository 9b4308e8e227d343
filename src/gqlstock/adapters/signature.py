"""Signs webhooks with the library that receivers can verify them with."""

from datetime import datetime

from standardwebhooks import Webhook


def sign(secret: str, message_id: str, at: datetime, body: str) -> str:
    """The signature of a message sent at this time, according to the Standard Webhooks specification."""
    return Webhook(secret).sign(message_id, at, body)
