"""Letters on their way: written when they are sent, and what becomes of them."""

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
_LONGEST_SUBJECT = 200
_LONGEST_ERROR = 500

_templates = Templates("gqlstock.delivery")


class Letters:
    """The depot of letters. ``unsubscribe_url`` has {token} where the token belongs."""

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

    async def deliver(self, thing: Letter) -> bool:
        try:
            message = await self._write(thing)
            if message is None:
                await mail.drop(thing)
                return True
            await self._post.send(message)
        except NotSent as error:
            await _not_sent(thing, error)
            return isinstance(error, NeverSent)
        await _sent(thing)
        return True

    async def _write(self, thing: Letter) -> EmailMessage | None:
        """The letter as it is true now; None when it is not to be sent any more."""
        if thing.alert_id is not None:
            return await self._alert(thing, thing.alert_id)
        assert thing.subscription_id is not None
        return await self._back_in_stock(thing, thing.subscription_id)

    async def _alert(self, thing: Letter, alert_id: int) -> EmailMessage | None:
        alert = (await alerts.alerts([alert_id]))[alert_id]
        if not await catalog.items_in_use([alert.item_id]):
            return None
        places = await warehouses.warehouses([alert.warehouse_id] if alert.warehouse_id is not None else [])
        said = {
            "name": alert.name,
            "code": alert.code,
            "sku": alert.sku,
            "quantity_left": quantities.text(alert.quantity_left),
            "threshold": quantities.text(alert.threshold),
            "warehouse": next((place.name for place in places.values()), None),
        }
        return self._message(thing, "low_inventory", f"Low inventory: {alert.name} ({alert.code})", said)

    async def _back_in_stock(self, thing: Letter, subscription_id: int) -> EmailMessage | None:
        told = await services.letter_content((await back_in_stock.subscriptions([subscription_id]))[subscription_id])
        if told is None:
            return None
        link = self._unsubscribe_url.replace("{token}", quote(told.token))
        said = {"name": told.item.name, "sku": told.item.sku, "website": told.website, "link": link}
        message = self._message(thing, "back_in_stock", f"Back in stock: {told.item.name}", said)
        message["List-Unsubscribe"] = f"<{link}>"
        return message

    def _message(self, thing: Letter, template: str, subject: str, said: dict[str, Any]) -> EmailMessage:
        message = EmailMessage()
        message["From"] = self._sender
        message["To"] = _address(thing.recipient)
        message["Subject"] = one_line(subject)[:_LONGEST_SUBJECT]
        message["Date"] = clock.now()
        # The same each time it is sent, so that a receiver can tell.
        message["Message-ID"] = f"<{thing.message_id}@{self._sender.rpartition('@')[2].rstrip('>')}>"
        message["Auto-Submitted"] = "auto-generated"
        shown = {name: one_line(value) if isinstance(value, str) else value for name, value in said.items()}
        message.set_content(_templates.text(f"{template}.txt", shown))
        message.add_alternative(_templates.text(f"{template}.html", shown), subtype="html")
        return message


def _address(recipient: str) -> Address:
    """A recipient as a letter names them; one that no letter can name is never written to."""
    try:
        return Address(addr_spec=recipient)
    except (MessageError, ValueError, LookupError, AttributeError) as error:
        # The last two are how the parser fails over a domain that is missing or is half a literal.
        raise NeverSent(f"{recipient} cannot be written to: {error}") from error


def one_line(text: str) -> str:
    """A text for a header: a name with line breaks in it is no way to write headers of one's own."""
    shown = "".join(" " if unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp") else c for c in text)
    return " ".join(shown.split())


async def _sent(thing: Letter) -> None:
    at = clock.now()

    async def write() -> None:
        if await mail.settle(thing, state=WorkState.DELIVERED, delivered_at=at) and thing.subscription_id is not None:
            await back_in_stock.end(thing.subscription_id, BackInStockState.NOTIFIED, at)

    await transactions.run(write)


async def _not_sent(thing: Letter, error: NotSent) -> None:
    """Try again later; not when it would never be taken: who cannot be written to waits no more."""
    pause = retries.pause(thing.attempts - thing.spent, random.random())
    hopeless = isinstance(error, NeverSent)
    told = str(error)[:_LONGEST_ERROR]

    async def write() -> None:
        if not hopeless and pause is not None:
            await mail.settle(thing, due_at=clock.now() + pause, last_error=told)
            return
        settled = await mail.settle(thing, state=WorkState.FAILED, last_error=told)
        if settled and hopeless and thing.subscription_id is not None:
            await back_in_stock.end(thing.subscription_id, BackInStockState.CANCELED)

    await transactions.run(write)
