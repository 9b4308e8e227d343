import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from standardwebhooks.webhooks import WebhookVerificationError

from gqlstock.adapters.http import Http
from gqlstock.delivery import housekeeping
from gqlstock.delivery.courier import Courier
from gqlstock.delivery.dispatcher import Dispatcher
from gqlstock.delivery.webhooks import Webhooks
from gqlstock.rules.given_ids import GivenId
from gqlstock.rules.ids import global_id
from gqlstock.rules.orders import number
from gqlstock.rules.refusals import Code, Refused
from gqlstock.rules.retries import WorkState
from gqlstock.rules.settings import BackorderMode
from gqlstock.rules.webhooks import WebhookTopic
from gqlstock.services import deliveries, webhooks
from gqlstock.store import work
from gqlstock.store.db import clock
from gqlstock.store.webhooks import WebhookDelivery, WebhookEndpoint, queue
from support import promised_dates as dates
from support import settable_clock, webhook_receiver
from support import shop_builders as make
from support.settled_news import settled
from support.webhook_deliveries import delivered, dispatched, endpoint, rows

PENDING, DELIVERED, FAILED = WorkState.PENDING, WorkState.DELIVERED, WorkState.FAILED


@pytest.fixture
async def shop(db: None) -> None:
    """10 of MUG and of CUP in BERLIN."""
    await make.shop()
    for sku in ("MUG", "CUP"):
        await make.product(sku)
        await make.stock(sku, on_hand=10)


async def make_due() -> None:
    """Let the pauses be over."""
    await WebhookDelivery.filter(due_at__isnull=False).update(due_at=clock.now() - timedelta(seconds=1))


async def test_an_order_is_told_signed_to_the_endpoint_that_wants_it(shop: None, courier: Courier) -> None:
    async with webhook_receiver.receiving() as there:
        _, secret = await endpoint(there, WebhookTopic.ORDER_PLACED)
        order_id = await make.order("MUG", 2, reference="WEB-1")
        await dispatched()
        await delivered(courier)

    (one,) = there.received
    told = one.verified(secret)
    assert (told["type"], one.headers["content-type"]) == ("order.placed", "application/json")
    order = told["data"]["order"]
    assert (order["id"], order["number"]) == (global_id("Order", order_id), number(order_id))
    assert (order["status"], order["website"], order["reference"]) == ("PLACED", "shop", "WEB-1")
    assert [(line["sku"], line["quantity"], line["canceled"]) for line in order["lines"]] == [("MUG", 2, 0)]
    (row,) = await rows()
    assert (row.state, row.attempts, row.last_status_code, row.last_error) == (DELIVERED, 1, 204, None)
    assert row.message_id == one.id
    assert row.delivered_at is not None


async def test_a_message_that_somebody_changed_is_found_out(shop: None, courier: Courier) -> None:
    async with webhook_receiver.receiving() as there:
        _, secret = await endpoint(there, WebhookTopic.ORDER_PLACED)
        await make.order()
        await dispatched()
        await delivered(courier)

    (one,) = there.received
    forged = webhook_receiver.Received(one.path, one.headers, one.body.replace("MUG", "CUP"))
    with pytest.raises(WebhookVerificationError):
        forged.verified(secret)


async def test_another_date_is_told_with_what_it_was(shop: None, courier: Courier) -> None:
    await make.setting(backorders=BackorderMode.ALLOW)
    first, second = await make.order("MUG", 12), await make.order("MUG", 3)
    await dispatched()
    async with webhook_receiver.receiving() as there:
        _, secret = await endpoint(there, WebhookTopic.ORDER_UPDATED, WebhookTopic.ORDER_DATE_CHANGED)
        made = await dates.announce(4, on=10)
        await dates.update(made, on=12)
        await dispatched()
        await delivered(courier)
        moved = [one.verified(secret) for one in there.received]
        there.received.clear()
        await dates.receive(4, announcement_id=made)
        await dispatched()
        await delivered(courier)
        filled = [one.verified(secret) for one in there.received]

    tenth, twelfth = "2036-12-10T00:00:00Z", "2036-12-12T00:00:00Z"
    assert [_dates(one) for one in moved] == [
        ("order.date_changed", number(first), None, tenth),
        ("order.date_changed", number(first), tenth, twelfth),
    ]
    assert moved[0]["data"].keys() == {"order", "expectedAtBefore", "expectedAt"}
    assert moved[0]["data"]["order"].keys() == filled[0]["data"]["order"].keys()
    by_order = sorted((_dates(one) for one in filled), key=lambda told: (told[1], told[0]))
    assert by_order == [
        ("order.date_changed", number(first), twelfth, None),
        ("order.updated", number(first), None, None),
        ("order.updated", number(second), None, None),
    ]


def _dates(told: dict[str, Any]) -> tuple[str, str, str | None, str | None]:
    """The type, the order, and the dates before and after."""
    data = told["data"]
    return told["type"], data["order"]["number"], data.get("expectedAtBefore"), data.get("expectedAt")


async def test_each_topic_is_told_of_what_it_is_for(shop: None, courier: Courier) -> None:
    await make.setting(product="MUG", notify_below=3)
    async with webhook_receiver.receiving() as there:
        await endpoint(there)
        await make.order("MUG", 8)
        await make.order("MUG", 2)
        await make.stock("MUG", on_hand=5)
        await dispatched()
        await delivered(courier)

    told = sorted(one.told["type"] for one in there.received)
    assert told == [
        "inventory.back_in_stock",
        "inventory.changed",
        "inventory.changed",
        "inventory.changed",
        "inventory.low",
        "inventory.low_resolved",
        "inventory.out_of_stock",
        "order.placed",
        "order.placed",
    ]
    low = next(one.told for one in there.received if one.told["type"] == "inventory.low")
    assert (low["data"]["item"]["sku"], low["data"]["alert"]["quantityLeft"], low["data"]["alert"]["threshold"]) == (
        "MUG",
        2,
        3,
    )
    out = next(one.told for one in there.received if one.told["type"] == "inventory.out_of_stock")
    assert (out["data"]["item"]["sku"], out["data"]["website"]) == ("MUG", "shop")
    moved = [one.told["data"]["movement"]["quantity"] for one in there.received if "movement" in one.told["data"]]
    assert moved == [-8, -2, 5]


async def test_an_endpoint_is_told_of_its_topics_only_and_of_nothing_from_before(shop: None, courier: Courier) -> None:
    async with webhook_receiver.receiving() as there:
        await make.order("MUG")
        await endpoint(there, WebhookTopic.ORDER_PLACED)
        await make.stock("MUG", on_hand=3)
        await dispatched()
        assert await rows() == []

        await make.order("CUP")
        await dispatched()
        await delivered(courier)

    assert [one.told["data"]["order"]["lines"][0]["sku"] for one in there.received] == ["CUP"]


async def test_what_is_not_taken_is_tried_again_with_growing_pauses_and_then_given_up(
    shop: None, courier: Courier
) -> None:
    async with webhook_receiver.receiving(lambda _: 500) as there:
        await endpoint(there, WebhookTopic.ORDER_PLACED)
        await make.order()
        await dispatched()
        pauses = []
        for _ in range(8):
            await delivered(courier)
            (row,) = await rows()
            if row.due_at is not None:
                pauses.append((row.due_at - clock.now()).total_seconds())
            await make_due()
        await delivered(courier)

    assert [pytest.approx(pause, rel=0.12, abs=1) for pause in (1, 5, 30, 300, 1_800, 7_200, 21_600)] == pauses
    (row,) = await rows()
    assert (row.state, row.attempts, row.due_at) == (FAILED, 8, None)
    assert (row.last_status_code, row.last_error) == (500, "Response status 500.")
    assert len(there.received) == 8
    assert len(set(there.ids)) == 1


async def test_what_failed_is_sent_again_under_the_same_id_with_all_its_attempts_before_it(
    shop: None, courier: Courier
) -> None:
    async with webhook_receiver.receiving(lambda _: 500) as there:
        await endpoint(there, WebhookTopic.ORDER_PLACED)
        await make.order()
        await dispatched()
        for _ in range(8):
            await delivered(courier)
            await make_due()
        (failed,) = await rows()
        assert failed.state is FAILED

        await webhooks.redeliver(GivenId(failed.id, "x"))
        await delivered(courier)
        (again,) = await rows()
        assert (again.state, again.attempts) == (PENDING, 9)
        there.answer = lambda _: 200
        await webhooks.redeliver(GivenId(failed.id, "x"))
        await delivered(courier)

    (row,) = await rows()
    assert (row.state, row.attempts, row.last_status_code, row.last_error) == (DELIVERED, 10, 200, None)
    assert len(set(there.ids)) == 1


async def test_messages_about_one_item_wait_for_each_other_and_those_about_others_do_not(
    shop: None, courier: Courier
) -> None:
    async with webhook_receiver.receiving(lambda one: 500 if "MUG" in one.body else 204) as there:
        await endpoint(there, WebhookTopic.INVENTORY_CHANGED)
        for on_hand in (9, 8, 7):
            await make.stock("MUG", on_hand=on_hand)
            await make.stock("CUP", on_hand=on_hand)
        await dispatched()
        await delivered(courier)

        def seen(sku: str) -> list[int]:
            told = [one.told["data"] for one in there.received if one.told["data"]["item"]["sku"] == sku]
            return [data["movement"]["onHandAfter"] for data in told]

        assert (seen("MUG"), seen("CUP")) == ([9], [9, 8, 7])
        there.answer = lambda _: 204
        await make_due()
        await delivered(courier)

    assert seen("MUG") == [9, 9, 8, 7]
    assert {row.state for row in await rows()} == {DELIVERED}


async def test_the_next_about_an_item_goes_out_when_the_one_before_it_was_given_up(
    shop: None, courier: Courier
) -> None:
    async with webhook_receiver.receiving(lambda one: 500 if '"onHandAfter":9' in one.body else 204) as there:
        await endpoint(there, WebhookTopic.INVENTORY_CHANGED)
        await make.stock("MUG", on_hand=9)
        await make.stock("MUG", on_hand=8)
        await dispatched()
        for _ in range(8):
            await delivered(courier)
            await make_due()
        await delivered(courier)

    assert [row.state for row in await rows()] == [FAILED, DELIVERED]
    assert [one.told["data"]["movement"]["onHandAfter"] for one in there.received] == [9] * 8 + [8]


async def test_an_endpoint_that_does_not_answer_holds_no_other_up(shop: None, http: Http) -> None:
    courier = Courier(Webhooks(http))
    async with (
        webhook_receiver.receiving(lambda _: None) as dead,
        webhook_receiver.receiving() as alive,
        courier.running(),
    ):
        await make.setting(quantity_uses_decimals=True)
        await endpoint(dead, WebhookTopic.ORDER_PLACED)
        await endpoint(alive, WebhookTopic.ORDER_PLACED)
        for _ in range(40):
            await make.order("CUP", "0.2")
        await dispatched()
        courier.wake()
        began = asyncio.get_running_loop().time()
        await alive.has(40)
        took = asyncio.get_running_loop().time() - began

    assert took < 4
    assert dead.asked_at_once == 8
    assert alive.asked_at_once <= 8


async def test_a_redirect_is_not_followed(shop: None, courier: Courier) -> None:
    async with webhook_receiver.receiving() as other:
        moved = f"HTTP/1.1 307 Moved\r\nlocation: {other.url()}\r\ncontent-length: 0\r\n\r\n".encode()
        async with webhook_receiver.receiving(lambda _: moved) as there:
            await endpoint(there, WebhookTopic.ORDER_PLACED)
            await make.order()
            await dispatched()
            await delivered(courier)

    assert other.received == []
    (row,) = await rows()
    assert (row.state, row.last_status_code, row.last_error) == (PENDING, 307, "Response status 307.")


async def test_an_endpoint_that_says_it_is_gone_is_told_nothing_more(shop: None, courier: Courier) -> None:
    async with webhook_receiver.receiving(lambda _: 410) as there:
        endpoint_id, _ = await endpoint(there, WebhookTopic.ORDER_PLACED)
        await make.order("MUG")
        await dispatched()
        await delivered(courier)
        await make.order("MUG")
        await dispatched()

    assert (await WebhookEndpoint.get(id=endpoint_id)).active is False
    assert [row.state for row in await rows()] == [FAILED]


async def test_what_waits_for_an_endpoint_that_is_switched_off_goes_out_when_it_is_on_again(
    shop: None, courier: Courier
) -> None:
    async with webhook_receiver.receiving() as there:
        endpoint_id, _ = await endpoint(there, WebhookTopic.ORDER_PLACED)
        await make.order("MUG")
        await dispatched()
        handle = GivenId(endpoint_id, "x")
        await webhooks.update(handle, {"active": False}, private_addresses=True)
        await delivered(courier)
        await make.order("CUP")
        await dispatched()
        assert there.received == []

        await webhooks.update(handle, {"active": True}, private_addresses=True)
        await delivered(courier)

    assert [one.told["data"]["order"]["lines"][0]["sku"] for one in there.received] == ["MUG"]


async def test_what_waits_for_a_deleted_endpoint_fails_and_its_secret_is_gone(shop: None, courier: Courier) -> None:
    async with webhook_receiver.receiving() as there:
        endpoint_id, _ = await endpoint(there, WebhookTopic.INVENTORY_CHANGED)
        await make.stock("MUG", on_hand=9)
        await make.stock("MUG", on_hand=8)
        await dispatched()

        await webhooks.delete(GivenId(endpoint_id, "x"))
        await delivered(courier)

    assert there.received == []
    assert [(row.state, row.last_error) for row in await rows()] == [(FAILED, "The endpoint was deleted.")] * 2
    assert (await WebhookEndpoint.get(id=endpoint_id)).secret == ""


async def test_what_could_not_go_out_for_a_week_is_given_up_and_the_next_goes_out(shop: None, courier: Courier) -> None:
    async with webhook_receiver.receiving(lambda one: 500 if '"onHandAfter":9' in one.body else 204) as there:
        await endpoint(there, WebhookTopic.INVENTORY_CHANGED)
        for on_hand in (9, 8, 7):
            await make.stock("MUG", on_hand=on_hand)
        await dispatched()
        await delivered(courier)
        first, second, _ = await rows()
        old = clock.now() - timedelta(days=8)
        await WebhookDelivery.filter(id__in=[first.id, second.id]).update(created_at=old)

        await deliveries.forget()
        await delivered(courier)

    assert [(row.state, row.last_error) for row in await rows()] == [
        (FAILED, "Not delivered within 7 days."),
        (FAILED, "Not delivered within 7 days."),
        (DELIVERED, None),
    ]
    assert [one.told["data"]["movement"]["onHandAfter"] for one in there.received] == [9, 7]


async def refused(delivery_id: int) -> tuple[Code, str]:
    with pytest.raises(Refused) as error:
        await webhooks.redeliver(GivenId(delivery_id, "x"))
    (refusal,) = error.value.refusals
    return refusal.code, refusal.message


async def test_only_what_can_go_out_at_once_is_ordered_again(shop: None, courier: Courier) -> None:
    async with webhook_receiver.receiving() as there:
        endpoint_id, _ = await endpoint(there, WebhookTopic.INVENTORY_CHANGED)
        await make.stock("MUG", on_hand=9)
        await make.stock("MUG", on_hand=8)
        await dispatched()
        first, second = await rows()

        assert await refused(second.id) == (Code.INVALID_STATE, "It waits for an earlier message about the same thing.")
        (claimed,) = await Webhooks(Http()).claim(endpoint_id, 8)
        assert claimed.id == first.id
        assert await refused(first.id) == (Code.INVALID_STATE, "It is being sent right now.")
        await webhooks.delete(GivenId(endpoint_id, "x"))
        assert await refused(first.id) == (Code.INVALID_STATE, "The endpoint was deleted.")
        assert await refused(999) == (Code.NOT_FOUND, "There is no webhook delivery x.")


async def test_an_older_message_that_is_sent_again_is_not_overtaken_by_those_behind_it(
    shop: None, courier: Courier
) -> None:
    async with webhook_receiver.receiving() as there:
        await endpoint(there, WebhookTopic.INVENTORY_CHANGED)
        await make.stock("MUG", on_hand=9)
        await dispatched()
        await delivered(courier)
        (first,) = await rows()
        await webhooks.redeliver(GivenId(first.id, "x"))
        await make.stock("MUG", on_hand=8)
        await dispatched()
        await delivered(courier)

    assert [one.told["data"]["movement"]["onHandAfter"] for one in there.received] == [9, 9, 8]
    assert {row.state for row in await rows()} == {DELIVERED}


async def test_who_took_over_a_delivery_is_not_contradicted_by_who_had_it_before(shop: None, http: Http) -> None:
    depot = Webhooks(http)
    async with webhook_receiver.receiving() as there:
        endpoint_id, _ = await endpoint(there, WebhookTopic.ORDER_PLACED)
        await make.order()
        await dispatched()
        (slow,) = await depot.claim(endpoint_id, 8)
        await make_due()
        there.answer = lambda _: 500
        (quick,) = await depot.claim(endpoint_id, 8)
        assert await depot.claim(endpoint_id, 8) == []
        there.answer = lambda _: 204
        assert await depot.deliver(quick)
        there.answer = lambda _: 500
        assert not await depot.deliver(slow)

    (row,) = await rows()
    assert (row.state, row.attempts, row.last_status_code) == (DELIVERED, 2, 204)


async def test_two_dispatchers_at_once_make_each_message_once(shop: None) -> None:
    async with webhook_receiver.receiving() as there:
        await endpoint(there, WebhookTopic.INVENTORY_CHANGED)
        for on_hand in range(30, 0, -1):
            await make.stock("MUG", on_hand=on_hand)
        await settled()
        one, two = Dispatcher(), Dispatcher()
        await asyncio.gather(*(d.step() for d in (one, two, one, two)))

    moved = [json.loads(row.body)["data"]["movement"]["onHandAfter"] for row in await rows()]
    assert moved == list(range(30, 0, -1))


async def test_a_dispatcher_that_fails_in_the_middle_has_written_nothing(
    shop: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with webhook_receiver.receiving() as there:
        await endpoint(there, WebhookTopic.ORDER_PLACED)
        await make.order()
        await settled()
        dispatcher = Dispatcher(on_work=[_fail])
        with pytest.raises(RuntimeError):
            await dispatcher.step()
        await dispatched()

    assert len(await rows()) == 1


def _fail() -> None:
    raise RuntimeError("the process died here")


def at(row: Any) -> datetime:
    return datetime.fromisoformat(json.loads(row.body)["timestamp"]).astimezone(UTC)


async def test_a_message_says_when_it_happened(shop: None) -> None:
    async with webhook_receiver.receiving() as there:
        await endpoint(there, WebhookTopic.ORDER_PLACED)
        before = clock.now()
        await make.order()
        after = clock.now()
        await dispatched()

    (row,) = await rows()
    assert before <= at(row) <= after


async def test_an_endpoint_made_before_the_clock_was_set_back_is_told_what_comes_after_it(
    shop: None, courier: Courier
) -> None:
    await make.order("MUG", 1)
    await settled()
    async with webhook_receiver.receiving() as there:
        with settable_clock.ahead():
            await endpoint(there, WebhookTopic.ORDER_PLACED)
        order_id = await make.order("MUG", 2)
        await dispatched()
        await delivered(courier)

    assert [one.told["data"]["order"]["id"] for one in there.received] == [global_id("Order", order_id)]


async def test_a_retry_put_off_before_the_clock_was_set_back_comes_after_its_pause(
    shop: None, courier: Courier
) -> None:
    async with webhook_receiver.receiving() as there:
        there.answer = lambda _: 500 if len(there.received) == 1 else 204
        with settable_clock.ahead():
            await endpoint(there, WebhookTopic.ORDER_PLACED)
            await make.order("MUG", 1)
            await dispatched()
            await courier.step()
            await courier.idle()
        (waiting,) = await rows()
        assert waiting.due_at > clock.now() + timedelta(hours=1)
        async with housekeeping.running(timedelta(days=7)), courier.running():
            await there.has(2)
            await courier.idle()

    (row,) = await rows()
    assert (row.state, row.attempts) == (DELIVERED, 2)


@pytest.mark.parametrize(
    ("attempts", "spent", "sending", "due_in", "then_in"),
    [
        (0, 0, False, timedelta(hours=2), timedelta(0)),
        (1, 0, False, timedelta(hours=2), timedelta(seconds=1.1)),
        (4, 0, False, timedelta(minutes=5), timedelta(minutes=5)),
        (4, 0, False, timedelta(hours=2), timedelta(minutes=5.5)),
        (7, 0, False, timedelta(hours=6), timedelta(hours=6)),
        (7, 0, False, timedelta(hours=8), timedelta(hours=6.6)),
        (9, 8, False, timedelta(hours=2), timedelta(seconds=1.1)),
        (7, 0, True, timedelta(hours=2), work.LEASE),
        (1, 0, True, timedelta(seconds=3), timedelta(seconds=3)),
    ],
)
async def test_nothing_waits_longer_than_its_pause_or_its_lease(
    shop: None, attempts: int, spent: int, sending: bool, due_in: timedelta, then_in: timedelta
) -> None:
    await endpoint("https://shop.example/hook", WebhookTopic.ORDER_PLACED)
    await make.order("MUG", 1)
    await dispatched()
    now = clock.now()
    await WebhookDelivery.filter(state=PENDING).update(
        attempts=attempts, spent=spent, sending=sending, due_at=now + due_in
    )

    await queue.bring_forward()

    (row,) = await rows()
    assert abs(row.due_at - (now + then_in)) < timedelta(seconds=5 if then_in > timedelta(seconds=10) else 1)


async def test_what_is_in_hand_is_not_due_to_another_for_as_long_as_it_is_renewed(shop: None) -> None:
    async with webhook_receiver.receiving() as there:
        await endpoint(there, WebhookTopic.ORDER_PLACED)
        await make.order()
        await dispatched()
    (taken,) = await queue.claim(10)
    over = clock.now() - timedelta(seconds=1)
    await WebhookDelivery.filter(id=taken.id).update(due_at=over)

    assert await queue.renew([taken]) == []

    assert await queue.claim(10) == []
    (row,) = await rows()
    assert row.due_at is not None
    assert work.LEASE - timedelta(seconds=2) < row.due_at - clock.now() <= work.LEASE


async def test_who_was_held_up_learns_that_another_has_taken_over_and_settles_nothing(shop: None) -> None:
    async with webhook_receiver.receiving() as there:
        await endpoint(there, WebhookTopic.ORDER_PLACED)
        for _ in range(2):
            await make.order()
        await dispatched()
    late, kept = await queue.claim(10)
    await WebhookDelivery.filter(id=late.id).update(due_at=clock.now() - timedelta(seconds=1))
    (other,) = await queue.claim(10)

    assert [row.id for row in await queue.renew([late, kept])] == [late.id]

    assert (other.id, other.attempts) == (late.id, 2)
    assert await queue.settle(late, state=DELIVERED) is False
    assert [row.state for row in await rows()] == [PENDING, PENDING]


async def test_what_was_settled_is_not_renewed_and_not_lost(shop: None, courier: Courier) -> None:
    async with webhook_receiver.receiving() as there:
        await endpoint(there, WebhookTopic.ORDER_PLACED)
        await make.order()
        await dispatched()
        (taken,) = await queue.claim(10)
        await queue.settle(taken, state=DELIVERED)

    assert await queue.renew([taken]) == []
    (row,) = await rows()
    assert (row.state, row.due_at) == (DELIVERED, None)


async def test_a_courier_that_was_held_up_stops_sending_what_another_has_taken(shop: None, courier: Courier) -> None:
    async with webhook_receiver.receiving(lambda _: None) as there, courier.running():
        await endpoint(there, WebhookTopic.ORDER_PLACED)
        await make.order()
        await dispatched()
        courier.wake()
        await there.has(1)
        await WebhookDelivery.filter(sending=True).update(attempts=2)

        async with asyncio.timeout(4):
            await courier.idle()

    (row,) = await rows()
    assert (row.state, row.sending, row.attempts) == (PENDING, True, 2)
