"""Subscriptions: news as it is committed, and with a cursor what was missed before it."""

import base64
import contextlib
from collections.abc import AsyncGenerator
from datetime import datetime
from typing import Annotated

import strawberry

from gqlstock.graphql import access, alerts
from gqlstock.graphql.alerts import LowInventoryAlert
from gqlstock.graphql.context import Info
from gqlstock.graphql.errors import InvalidCursor
from gqlstock.rules.events import Topic
from gqlstock.rules.scopes import Scope
from gqlstock.store import alerts as alert_rows
from gqlstock.store.outbox import Cursor

AfterArg = Annotated[
    str | None,
    strawberry.argument(description="What was committed since this cursor comes first, then what is new."),
]


@strawberry.type(description="An alert that was raised, taken on or resolved.")
class LowInventoryAlertChange:
    cursor: str = strawberry.field(description="Where this change stands in the feed, to go on from here.")
    alert: LowInventoryAlert = strawberry.field(description="The alert, as it was then.")
    changed_at: datetime = strawberry.field(description="When it changed.")


def cursor(place: Cursor) -> str:
    return base64.urlsafe_b64encode(f"feed:{place.tx}:{place.id}".encode()).decode()


def place(told: str | None) -> Cursor | None:
    """The place in the feed that a cursor stands for; refused when it is none."""
    if told is None:
        return None
    try:
        name, tx, entry_id = base64.b64decode(told.encode(), altchars=b"-_", validate=True).decode("ascii").split(":")
        if name == "feed" and tx.isdigit() and entry_id.isdigit() and len(tx) < 19 and len(entry_id) < 19:
            return Cursor(int(tx), int(entry_id))
    except ValueError:
        pass
    raise InvalidCursor(f"{told[:60]!r} is no cursor of this feed.")


@strawberry.type(
    description="What is pushed as it is committed. With a cursor, what was missed comes first; nothing comes twice."
)
class Subscription:
    @strawberry.subscription(  # type: ignore[untyped-decorator]
        description=(
            "Each alert that is raised, taken on or resolved. A client that reconnects with the last cursor it saw misses "
            "nothing and sees nothing twice. Needs inventory:read."
        )
    )
    async def low_inventory_alerts(
        self, info: Info, filter: alerts.FilterArg = None, after: AfterArg = None
    ) -> AsyncGenerator[LowInventoryAlertChange, None]:
        access.require(info.context.caller, Scope.INVENTORY_READ)
        async with contextlib.aclosing(info.context.feed.entries([Topic.ALERT], place(after))) as news:
            async for entry in news:
                found = (await alert_rows.alerts([entry.subject]))[entry.subject].as_told(entry.data)
                if await alerts.passes(found, filter):
                    yield LowInventoryAlertChange(
                        cursor=cursor(entry.cursor), alert=LowInventoryAlert.of(found), changed_at=entry.created_at
                    )
