"""Delivers emails: builds each one when it is sent, and records the outcome."""

import random
import unicodedata
from datetime import datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from typing import Any
from urllib.parse import quote

from gqlstock.adapters.mail import Mail as Post
from gqlstock.adapters.mail import NeverSent, NotSent
from gqlstock.adapters.templates import Templates
from gqlstock.rules import quantities, retries
from gqlstock.rules.back_in_stock import BackInStockState
from gqlstock.rules.letters import Letter
from gqlstock.rules.retries import WorkState
from gqlstock.services import back_in_stock as services
from gqlstock.store import alerts, back_in_stock, catalog, mail, warehouses
from gqlstock.store.db import clock, transactions

_ONLY_GROUP = 0
_MAX_SUBJECT_LENGTH = 200
_MAX_ERROR_LENGTH = 500

_templates = Templates("gqlstock.delivery")


class Letters:
    """The emails to deliver. ``unsubscribe_url`` has the placeholder ``{token}``."""

    queue = mail.queue
    at_once = 4

    def __init__(self, post: Post, sender: str, unsubscribe_url: str) -> None:
        self._post = post
        self._sender = sender
        self._unsubscribe_url = unsubscribe_url

    async def waiting(self) -> dict[int, datetime]:
        due_at = await mail.next_due()
        return {} if due_at is None else {_ONLY_GROUP: due_at}

    async def claim(self, group: int, limit: int) -> list[Letter]:
        return await self.queue.claim(limit)

    async def deliver(self, letter: Letter) -> bool:
        try:
            message = await self._write(letter)
            if message is None:
                await mail.drop(letter)
                return True
            await self._post.send(message)
        except NotSent as error:
            await _not_sent(letter, error)
            return isinstance(error, NeverSent)
        await _sent(letter)
        return True

    async def _write(self, letter: Letter) -> EmailMessage | None:
        """The email with current data; None if it is no longer needed."""
        if letter.alert_id is not None:
            return await self._alert(letter, letter.alert_id)
        assert letter.subscription_id is not None
        return await self._back_in_stock(letter, letter.subscription_id)

    async def _alert(self, letter: Letter, alert_id: int) -> EmailMessage | None:
        alert = (await alerts.alerts([alert_id]))[alert_id]
        if not await catalog.items_in_use([alert.item_id]):
            return None
        places = await warehouses.warehouses([alert.warehouse_id] if alert.warehouse_id is not None else [])
        values = {
            "name": alert.name,
            "code": alert.code,
            "sku": alert.sku,
            "quantity_left": quantities.text(alert.quantity_left),
            "threshold": quantities.text(alert.threshold),
            "warehouse": next((place.name for place in places.values()), None),
        }
        return self._message(letter, "low_inventory", f"Low inventory: {alert.name} ({alert.code})", values)

    async def _back_in_stock(self, letter: Letter, subscription_id: int) -> EmailMessage | None:
        content = await services.letter_content((await back_in_stock.subscriptions([subscription_id]))[subscription_id])
        if content is None:
            return None
        link = self._unsubscribe_url.replace("{token}", quote(content.token))
        values = {"name": content.item.name, "sku": content.item.sku, "website": content.website, "link": link}
        message = self._message(letter, "back_in_stock", f"Back in stock: {content.item.name}", values)
        message["List-Unsubscribe"] = f"<{link}>"
        return message

    def _message(self, letter: Letter, template: str, subject: str, values: dict[str, Any]) -> EmailMessage:
        message = EmailMessage()
        message["From"] = self._sender
        message["To"] = _address(letter.recipient)
        message["Subject"] = one_line(subject)[:_MAX_SUBJECT_LENGTH]
        message["Date"] = clock.now()
        # The same for every attempt, so receivers recognize duplicates.
        message["Message-ID"] = f"<{letter.message_id}@{self._sender.rpartition('@')[2].rstrip('>')}>"
        message["Auto-Submitted"] = "auto-generated"
        shown = {name: one_line(value) if isinstance(value, str) else value for name, value in values.items()}
        message.set_content(_templates.text(f"{template}.txt", shown))
        message.add_alternative(_templates.text(f"{template}.html", shown), subtype="html")
        return message


def _address(recipient: str) -> Address:
    """The address of a recipient. Raises ``NeverSent`` if it is not a valid one."""
    try:
        return Address(addr_spec=recipient)
    except (MessageError, ValueError, LookupError, AttributeError) as error:
        # The parser raises the last two for a missing domain or an incomplete domain literal.
        raise NeverSent(f"{recipient} is not a valid email address: {error}") from error


def one_line(text: str) -> str:
    """A text on one line, so a name with line breaks cannot inject headers."""
    shown = "".join(" " if unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp") else c for c in text)
    return " ".join(shown.split())


async def _sent(letter: Letter) -> None:
    at = clock.now()

    async def write() -> None:
        if await mail.settle(letter, state=WorkState.DELIVERED, delivered_at=at) and letter.subscription_id is not None:
            await back_in_stock.end(letter.subscription_id, BackInStockState.NOTIFIED, at)

    await transactions.run(write)


async def _not_sent(letter: Letter, error: NotSent) -> None:
    """Schedule a retry, or fail the email. A permanent failure also ends the subscription."""
    pause = retries.pause(letter.attempts - letter.spent, random.random())
    is_permanent = isinstance(error, NeverSent)
    reason = str(error)[:_MAX_ERROR_LENGTH]

    async def write() -> None:
        if not is_permanent and pause is not None:
            await mail.settle(letter, due_at=clock.now() + pause, last_error=reason)
            return
        settled = await mail.settle(letter, state=WorkState.FAILED, last_error=reason)
        if settled and is_permanent and letter.subscription_id is not None:
            await back_in_stock.end(letter.subscription_id, BackInStockState.CANCELED)

    await transactions.run(write)
