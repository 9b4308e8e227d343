"""Checks that each event became at least one webhook message, and that each letter was sent. The database must be open."""

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field

from chaos.site import TOPICS, Site
from gqlstock.rules import orders as order_rules
from gqlstock.rules import shipments as shipment_rules
from gqlstock.rules.events import Topic
from gqlstock.rules.feed import START, Cursor
from gqlstock.rules.retries import WorkState
from gqlstock.rules.webhooks import WebhookTopic, topics_of
from gqlstock.store import dispatch, outbox
from gqlstock.store.db import sql
from gqlstock.store.mail import Mail
from gqlstock.store.webhooks import WebhookDelivery


@dataclass
class Delivered:
    """``messages`` and ``letters``: different ones; ``repeated``: how many of both came more than once."""

    messages: int = 0
    letters: int = 0
    repeated: int = 0
    problems: list[str] = field(default_factory=list)


async def delivered(site: Site, start: Cursor, patience: float) -> Delivered:
    """Wait until nothing is left to deliver, and compare what came with the events after a cursor."""
    deadline = time.monotonic() + patience
    while left := await _left():
        if time.monotonic() > deadline:
            return Delivered(problems=[left])
        await asyncio.sleep(0.2)
    found = Delivered(problems=[*await _untold(site, start), *await _unsent(site)])
    failed = (
        await WebhookDelivery.filter(state=WorkState.FAILED).count() + await Mail.filter(state=WorkState.FAILED).count()
    )
    if failed:
        found.problems.append(f"{failed} deliveries have failed for good")
    messages = Counter(site.receiver.ids)
    letters = Counter(str(letter["Message-ID"]) for letter in site.postbox.letters)
    found.messages, found.letters = len(messages), len(letters)
    found.repeated = sum(times > 1 for times in (*messages.values(), *letters.values()))
    return found


async def _left() -> str | None:
    """What is still to be delivered. The stored cursor need not pass entries without recipients."""
    behind = await outbox.after(await dispatch.place() or START, 5_000, [Topic.ORDER, Topic.SHIPMENT, Topic.ALERT])
    wanted = {*TOPICS, WebhookTopic.LOW_INVENTORY}
    if any(wanted.intersection(topics_of(entry.topic, entry.data)) for entry in behind):
        return "the dispatcher is behind the outbox"
    messages = await WebhookDelivery.filter(state=WorkState.PENDING).count()
    letters = await Mail.filter(state=WorkState.PENDING).count()
    return f"{messages} webhook messages and {letters} letters are not delivered" if messages or letters else None


async def _untold(site: Site, start: Cursor) -> list[str]:
    """The events after a cursor that no verified message is about."""
    came = {_about(one.told["type"], one.told["data"]) for one in site.receiver.received if one.is_signed(site.secret)}
    wanted: set[tuple[str, ...]] = set()
    after = start
    while entries := await outbox.after(after, 5_000, [Topic.ORDER, Topic.SHIPMENT]):
        for entry in entries:
            if entry.topic is Topic.SHIPMENT:
                before, state = entry.data.get("state_before"), entry.data.get("state")
                wanted.add(("shipment.updated", shipment_rules.number(entry.subject), str(before), str(state)))
            elif "ORDER_PLACED" in {topic.name for topic in topics_of(entry.topic, entry.data)}:
                wanted.add(("order.placed", order_rules.number(entry.subject)))
        after = entries[-1].cursor
    missing = sorted(wanted - came)
    return [f"no webhook message came for {len(missing)} events: {missing[:3]}"] if missing else []


def _about(kind: str, data: dict[str, dict[str, str]]) -> tuple[str, ...]:
    if kind == "order.placed":
        return kind, data["order"]["number"]
    return kind, data["shipment"]["number"], str(data["stateBefore"]), str(data["state"])


async def _unsent(site: Site) -> list[str]:
    """The alerts without a letter, and the letters that are recorded as sent, and did not come."""
    came = {str(letter["Message-ID"]).strip("<>").partition("@")[0] for letter in site.postbox.letters}
    rows = await sql.query("SELECT message_id FROM mail WHERE state = 'DELIVERED'")
    unsent = {row["message_id"] for row in rows} - came
    unwritten = (
        "SELECT id FROM low_inventory_alert WHERE id NOT IN (SELECT alert_id FROM mail WHERE alert_id IS NOT NULL)"
    )
    alerts = await sql.query(unwritten)
    problems = [f"{len(unsent)} letters that are recorded as sent did not come"] if unsent else []
    return problems + ([f"{len(alerts)} alerts have no letter"] if alerts else [])
