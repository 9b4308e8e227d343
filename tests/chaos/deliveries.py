"""Checks that each event produced at least one webhook message, and that each email was sent. The database must be open.

Messages are compared with the outbox and also with the orders and shipments, because an outbox entry may be missing.
"""

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
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
from support.stock_evidence import Evidence
from support.webhook_receiver import Received


@dataclass
class Delivered:
    """``messages`` and ``emails``: the number of distinct ones; ``repeated``: how many of both arrived more than once."""

    messages: int = 0
    emails: int = 0
    repeated: int = 0
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Start:
    """Where a round starts: the cursor of the latest event, and the numbers of messages and emails that have arrived."""

    cursor: Cursor
    messages: int
    emails: int

    @classmethod
    async def now(cls, site: Site) -> "Start":
        return cls(await outbox.latest(), len(site.receiver.received), len(site.postbox.letters))


async def delivered(site: Site, start: Start, evidence: Iterable[Evidence] | None, patience: float) -> Delivered:
    """Wait until all deliveries are done, and compare what arrived with the events of the round. ``evidence``: the final
    state of its orders and shipments; None if the database may have lost some."""
    deadline = time.monotonic() + patience
    while pending := await _pending():
        if time.monotonic() > deadline:
            return Delivered(problems=[pending])
        await asyncio.sleep(0.2)
    arrived = [one for one in site.receiver.received[start.messages :] if one.is_signed(site.secret)]
    found = Delivered(problems=[*await _missing_messages(arrived, start.cursor), *await _missing_emails(site)])
    for one in evidence or ():
        found.problems += message_problems(arrived, one)
    failed = (
        await WebhookDelivery.filter(state=WorkState.FAILED).count() + await Mail.filter(state=WorkState.FAILED).count()
    )
    if failed:
        found.problems.append(f"{failed} deliveries have failed permanently")
    messages = Counter(one.id for one in arrived)
    emails = Counter(str(letter["Message-ID"]) for letter in site.postbox.letters[start.emails :])
    found.messages, found.emails = len(messages), len(emails)
    found.repeated = sum(times > 1 for times in (*messages.values(), *emails.values()))
    return found


async def _pending() -> str | None:
    """Describe the pending deliveries. Entries without recipients do not count: the stored cursor may stay before them."""
    behind = await outbox.after(await dispatch.place() or START, 5_000, [Topic.ORDER, Topic.SHIPMENT, Topic.ALERT])
    wanted = {*TOPICS, WebhookTopic.LOW_INVENTORY}
    if any(wanted.intersection(topics_of(entry.topic, entry.data)) for entry in behind):
        return "the dispatcher is behind the outbox"
    messages = await WebhookDelivery.filter(state=WorkState.PENDING).count()
    emails = await Mail.filter(state=WorkState.PENDING).count()
    return f"{messages} webhook messages and {emails} emails are pending" if messages or emails else None


async def _missing_messages(messages: Sequence[Received], start: Cursor) -> list[str]:
    """Report the events after a cursor without a message."""
    arrived = {_subject(one.told["type"], one.told["data"]) for one in messages}
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
    missing = sorted(wanted - arrived)
    return [f"{len(missing)} events have no webhook message: {missing[:3]}"] if missing else []


def message_problems(messages: Sequence[Received], evidence: Evidence) -> list[str]:
    """How signed messages contradict the final state: each order was told, and each state of a shipment, in order."""
    placed: set[str] = set()
    states: dict[str, list[tuple[str | None, str]]] = defaultdict(list)
    # A message may arrive again after a later one.
    first: dict[str, Received] = {}
    for one in messages:
        first.setdefault(one.id, one)
    for one in first.values():
        kind, data = one.told["type"], one.told["data"]
        if kind == "order.placed":
            placed.add(data["order"]["number"])
        else:
            states[data["shipment"]["number"]].append((data["stateBefore"], data["state"]))
    missing = sorted({order_rules.number(id) for id in evidence.orders} - placed)
    problems = [f"{len(missing)} orders have no webhook message: {missing[:3]}"] if missing else []
    for id, (_, _, state) in evidence.shipments.items():
        told = states[shipment_rules.number(id)]
        if [before for before, _ in told] != [None, *(after for _, after in told[:-1])] or told[-1][1] != state:
            problems.append(f"shipment {shipment_rules.number(id)} is {state}, and the messages told {told}")
    return problems


def _subject(kind: str, data: dict[str, dict[str, str]]) -> tuple[str, ...]:
    if kind == "order.placed":
        return kind, data["order"]["number"]
    return kind, data["shipment"]["number"], str(data["stateBefore"]), str(data["state"])


async def _missing_emails(site: Site) -> list[str]:
    """Report alerts without an email, and emails that are marked as sent but did not arrive."""
    arrived = {str(letter["Message-ID"]).strip("<>").partition("@")[0] for letter in site.postbox.letters}
    rows = await sql.query("SELECT message_id FROM mail WHERE state = 'DELIVERED'")
    unsent = {row["message_id"] for row in rows} - arrived
    without_email = (
        "SELECT id FROM low_inventory_alert WHERE id NOT IN (SELECT alert_id FROM mail WHERE alert_id IS NOT NULL)"
    )
    alerts = await sql.query(without_email)
    problems = [f"{len(unsent)} emails are marked as sent but did not arrive"] if unsent else []
    return problems + ([f"{len(alerts)} alerts have no email"] if alerts else [])
