"""E-mails about low inventory and about items back in stock. ``delivery.letters`` renders their text."""

from dataclasses import dataclass
from datetime import datetime

from gqlstock.rules.ids import UNSTORED
from gqlstock.rules.retries import WorkState
from gqlstock.rules.work import Work


@dataclass(frozen=True, slots=True)
class Letter(Work):
    """An e-mail to one recipient, about an alert or a subscription. Its text is rendered when it is sent."""

    recipient: str
    alert_id: int | None
    subscription_id: int | None


def new_letter(
    recipient: str,
    line: str,
    message_id: str,
    at: datetime,
    *,
    alert_id: int | None = None,
    subscription_id: int | None = None,
) -> Letter:
    """A new, unsent letter."""
    return Letter(
        id=UNSTORED,
        line=line,
        message_id=message_id,
        state=WorkState.PENDING,
        attempts=0,
        spent=0,
        due_at=None,
        sending=False,
        last_error=None,
        created_at=at,
        delivered_at=None,
        recipient=recipient,
        alert_id=alert_id,
        subscription_id=subscription_id,
    )
