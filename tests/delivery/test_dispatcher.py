"""What becomes work: each entry once, also over a restore of the database."""

from collections.abc import Sequence

import pytest

from gqlstock.delivery import payloads
from gqlstock.delivery.dispatcher import Dispatcher
from gqlstock.rules.events import Topic
from gqlstock.rules.feed import Entry, OutOfReach
from gqlstock.rules.letters import Letter
from gqlstock.rules.webhooks import WebhookTopic
from gqlstock.services import webhooks
from gqlstock.store import dispatch, outbox
from gqlstock.store.db import clock
from gqlstock.store.db.connection import DatabaseUrl
from gqlstock.store.webhooks import WebhookDelivery
from support import database_backup
from support import shop_builders as make
from support.settled_news import settled

NOWHERE = "https://shop.example/hook"


async def subscribed(topics: Sequence[WebhookTopic] = (WebhookTopic.ORDER_PLACED,)) -> int:
    """A shop with mugs, and an endpoint for its events. Returns the endpoint's id."""
    await make.shop()
    await make.product("MUG")
    await make.stock("MUG", on_hand=10)
    endpoint_id, _ = await webhooks.create(NOWHERE, topics, private_addresses=True)
    return endpoint_id


async def dispatched(dispatcher: Dispatcher) -> None:
    await settled()
    while await dispatcher.step():
        pass


async def lines() -> list[str]:
    """What each message is about."""
    return [row.line for row in await WebhookDelivery.all().order_by("id")]


async def test_after_a_restore_below_it_what_is_new_becomes_work_and_nothing_twice(
    db: None, database_url: DatabaseUrl
) -> None:
    endpoint_id = await subscribed()
    dispatcher = Dispatcher()
    before = await make.order("MUG", 1)
    await dispatched(dispatcher)
    undone = await make.order("MUG", 1)
    await database_backup.take(database_url)
    for _ in range(3):
        await make.order("MUG", 1)
    await dispatched(dispatcher)
    seen = dispatcher.seen

    await database_backup.restore(database_url)
    after = [await make.order("MUG", 1) for _ in range(5)]
    await dispatched(dispatcher)

    assert (await outbox.latest()).id > seen.id
    assert await lines() == [f"{endpoint_id}/order:{order_id}" for order_id in (before, undone, *after)]
    assert await dispatch.place() == await outbox.latest()


async def test_after_a_restore_a_feed_that_is_shorter_than_before_is_dispatched(
    db: None, database_url: DatabaseUrl
) -> None:
    await subscribed()
    dispatcher = Dispatcher()
    await database_backup.take(database_url)
    for _ in range(5):
        await make.order("MUG", 1)
    await dispatched(dispatcher)
    seen = dispatcher.seen

    await database_backup.restore(database_url)
    await make.order("MUG", 1)
    await dispatched(dispatcher)

    assert (await outbox.latest()).id < seen.id
    assert len(await lines()) == 1


async def test_entries_whose_deliveries_are_lost_are_dispatched_again_though_the_entries_survive(
    db: None, database_url: DatabaseUrl
) -> None:
    """As when an asynchronous standby takes over that has the orders, but not what the dispatcher wrote last."""
    endpoint_id = await subscribed()
    dispatcher = Dispatcher()
    orders = [await make.order("MUG", 1)]
    await dispatched(dispatcher)
    orders += [await make.order("MUG", 1) for _ in range(2)]
    await database_backup.take(database_url)
    await dispatched(dispatcher)

    await database_backup.restore(database_url)
    await dispatched(dispatcher)

    assert await lines() == [f"{endpoint_id}/order:{order_id}" for order_id in orders]
    assert await dispatch.place() == await outbox.latest()


async def test_an_entry_whose_order_a_new_primary_lacks_has_no_message(db: None) -> None:
    entry = Entry(0, 1, 1, 1, Topic.ORDER, 917, {"placed": True}, clock.now())

    with pytest.raises(OutOfReach, match="no longer in this database's history"):
        await payloads.messages([(entry, WebhookTopic.ORDER_PLACED)])


class Interrupted(Dispatcher):
    """Restores the database after it has read entries, before it writes what becomes of them."""

    database: DatabaseUrl | None = None

    async def _letters(self, entries: Sequence[Entry]) -> list[Letter]:
        if self.database is not None:
            await database_backup.restore(self.database)
            self.database = None
        return await super()._letters(entries)


@pytest.mark.parametrize("topics", [[WebhookTopic.ORDER_PLACED], [WebhookTopic.PRODUCT_UPDATED]])
async def test_what_is_lost_between_reading_and_writing_leaves_no_cursor_that_skips_new_entries(
    db: None, database_url: DatabaseUrl, topics: list[WebhookTopic]
) -> None:
    """As when an asynchronous standby takes over. The second topic has no entries, so only the cursor is written."""
    endpoint_id = await subscribed(topics)
    dispatcher = Interrupted()
    await database_backup.take(database_url)
    for _ in range(3):
        await make.order("MUG", 1)

    dispatcher.database = database_url
    await dispatcher.step()
    after = [await make.order("MUG", 1) for _ in range(2)]
    await dispatched(dispatcher)

    wanted = [f"{endpoint_id}/order:{order_id}" for order_id in after] if topics == [WebhookTopic.ORDER_PLACED] else []
    assert await lines() == wanted
    place = await dispatch.place()
    assert place is None or await outbox.has(place)
