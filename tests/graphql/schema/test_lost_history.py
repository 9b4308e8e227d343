"""Readers of the feed must start over if a standby takes over that lacks the changes they have just read."""

import pytest

from gqlstock.graphql.schema import subscriptions
from gqlstock.rules.events import Topic
from gqlstock.rules.feed import Entry, OutOfReach
from gqlstock.store.db import clock, sql
from support import shop_builders as make
from support.graphql_client import Client, codes

CHANGES = "{ inventoryChanges(first: 10) { nodes { movement { quantity } } } }"


async def test_changes_whose_movements_are_gone_are_out_of_reach(client: Client) -> None:
    await make.shop()
    await make.product("MUG")
    await make.stock("MUG", on_hand=5)
    await sql.execute("DELETE FROM stock_movement")

    answer = await client.scoped("inventory:read", CHANGES)

    assert codes(answer) == [("INVALID_CURSOR", ["inventoryChanges"])]


@pytest.mark.parametrize(("topic", "changes"), [(Topic.ORDER, "_order_changes"), (Topic.ALERT, "_alert_changes")])
async def test_changes_whose_rows_are_gone_are_out_of_reach(db: None, topic: Topic, changes: str) -> None:
    lost = Entry(era=0, tx=1, id=1, mark=1, topic=topic, subject=7, data={}, created_at=clock.now())

    with pytest.raises(OutOfReach, match="start over without a cursor"):
        await getattr(subscriptions, changes)([lost])
