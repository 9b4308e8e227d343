"""Letters by e-mail: to administrators about low inventory, to shoppers about what is back in stock."""

from dataclasses import dataclass
from datetime import datetime

from gqlstock.rules.ids import UNSTORED
from gqlstock.rules.retries import WorkState
from gqlstock.rules.work import Work


@dataclass(frozen=True, slots=True)
class Letter(Work):
    """One letter to one recipient, about an alert or for a subscription. Its text is written when it is sent."""

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
    """A letter that is to be sent."""
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
