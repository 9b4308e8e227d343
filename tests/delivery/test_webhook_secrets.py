"""Tests of endpoints, and the secrets that sign before, during and after a rotation."""

from datetime import timedelta

import pytest
from standardwebhooks.webhooks import WebhookVerificationError

from gqlstock.delivery.courier import Courier
from gqlstock.rules.given_ids import GivenId
from gqlstock.rules.ids import global_id
from gqlstock.rules.refusals import Code, Refused
from gqlstock.rules.retries import WorkState
from gqlstock.rules.webhooks import WebhookTopic
from gqlstock.services import deliveries, webhooks
from gqlstock.store.db import clock
from gqlstock.store.webhooks import WebhookEndpoint
from support import settable_clock, webhook_receiver
from support import shop_builders as make
from support.webhook_deliveries import delivered, dispatched, endpoint, rows
from support.webhook_receiver import Received, Receiver


def given(endpoint_id: int) -> GivenId:
    return GivenId(endpoint_id, "x")


async def sent(endpoint_id: int, courier: Courier, there: Receiver) -> Received:
    """A test that the endpoint got."""
    before = len(there.received)
    await webhooks.send_test(given(endpoint_id))
    await delivered(courier)
    (one,) = there.received[before:]
    return one


def signed_by(one: Received, *secrets: str) -> list[bool]:
    """Whether each of these secrets verifies a message."""
    found = []
    for secret in secrets:
        try:
            one.verified(secret)
            found.append(True)
        except WebhookVerificationError:
            found.append(False)
    return found


async def test_a_test_is_sent_signed_whatever_the_topics_of_the_endpoint(db: None, courier: Courier) -> None:
    async with webhook_receiver.receiving() as there:
        endpoint_id, secret = await endpoint(there, WebhookTopic.ORDER_PLACED)
        delivery_id = await webhooks.send_test(given(endpoint_id))
        await delivered(courier)

    (one,) = there.received
    told = one.verified(secret)
    assert (told["type"], told["data"]) == ("test", {"endpoint": {"id": global_id("WebhookEndpoint", endpoint_id)}})
    (row,) = await rows()
    assert (row.id, row.topic, row.state, row.message_id) == (
        delivery_id,
        WebhookTopic.TEST,
        WorkState.DELIVERED,
        one.id,
    )


async def test_a_test_that_fails_is_retried_and_holds_nothing_up(db: None, courier: Courier) -> None:
    await make.shop()
    await make.product("MUG")
    await make.stock("MUG")
    async with webhook_receiver.receiving(lambda one: 503 if '"test"' in one.body else 204) as there:
        endpoint_id, _ = await endpoint(there, WebhookTopic.ORDER_PLACED)
        await webhooks.send_test(given(endpoint_id))
        await webhooks.send_test(given(endpoint_id))
        await make.order()
        await dispatched()
        await delivered(courier)

    assert [(row.topic, row.state, row.last_status_code) for row in await rows()] == [
        (WebhookTopic.TEST, WorkState.PENDING, 503),
        (WebhookTopic.TEST, WorkState.PENDING, 503),
        (WebhookTopic.ORDER_PLACED, WorkState.DELIVERED, 204),
    ]
    assert all(row.due_at is not None for row in await rows() if row.topic is WebhookTopic.TEST)


async def test_an_endpoint_that_is_inactive_deleted_or_unknown_gets_no_test(db: None) -> None:
    inactive, _ = await endpoint("https://shop.example/", WebhookTopic.TEST)
    gone, _ = await endpoint("https://shop.example/", WebhookTopic.TEST)
    await webhooks.update(given(inactive), {"active": False}, private_addresses=False)
    await webhooks.delete(given(gone))
    refused = []
    for endpoint_id in (inactive, gone, 77):
        with pytest.raises(Refused) as error:
            await webhooks.send_test(given(endpoint_id))
        refused += [(one.code, one.path) for one in error.value.refusals]

    assert refused == [(Code.INVALID_STATE, ("id",)), (Code.NOT_FOUND, ("id",)), (Code.NOT_FOUND, ("id",))]
    assert await rows() == []


async def test_both_secrets_sign_for_a_day_and_then_the_new_one_alone(db: None, courier: Courier) -> None:
    async with webhook_receiver.receiving() as there:
        endpoint_id, old = await endpoint(there, WebhookTopic.TEST)
        before = await sent(endpoint_id, courier, there)
        with settable_clock.ahead(-timedelta(hours=23, minutes=59)):
            _, new = await webhooks.rotate_secret(given(endpoint_id))
        during = await sent(endpoint_id, courier, there)
        with settable_clock.ahead(-timedelta(hours=24, minutes=1)):
            _, newer = await webhooks.rotate_secret(given(endpoint_id))
        after = await sent(endpoint_id, courier, there)

    assert signed_by(before, old, new) == [True, False]
    assert signed_by(during, old, new) == [True, True]
    assert signed_by(after, old, new, newer) == [False, False, True]
    assert [len(one.headers["webhook-signature"].split(" ")) for one in (before, during, after)] == [1, 2, 1]
    assert during.headers["webhook-signature"].count("v1,") == 2


async def test_a_second_rotation_at_once_keeps_the_last_two_secrets(db: None, courier: Courier) -> None:
    async with webhook_receiver.receiving() as there:
        endpoint_id, oldest = await endpoint(there, WebhookTopic.TEST)
        _, old = await webhooks.rotate_secret(given(endpoint_id))
        _, new = await webhooks.rotate_secret(given(endpoint_id))
        one = await sent(endpoint_id, courier, there)

    assert signed_by(one, oldest, old, new) == [False, True, True]
    assert len({oldest, old, new}) == 3


async def test_a_message_that_waited_is_signed_with_the_secrets_of_the_moment_it_is_sent(
    db: None, courier: Courier
) -> None:
    async with webhook_receiver.receiving(lambda _: 500) as there:
        endpoint_id, old = await endpoint(there, WebhookTopic.TEST)
        delivery_id = await webhooks.send_test(given(endpoint_id))
        await delivered(courier)
        _, new = await webhooks.rotate_secret(given(endpoint_id))
        there.answer = lambda _: 204
        await webhooks.redeliver(given(delivery_id))
        await delivered(courier)

    assert [signed_by(one, old, new) for one in there.received] == [[True, False], [True, True]]
    assert len(set(there.ids)) == 1


async def test_a_secret_that_no_longer_signs_is_erased(db: None) -> None:
    over, _ = await endpoint("https://shop.example/", WebhookTopic.TEST)
    during, kept = await endpoint("https://shop.example/", WebhookTopic.TEST)
    with settable_clock.ahead(-timedelta(hours=25)):
        _, new = await webhooks.rotate_secret(given(over))
    await webhooks.rotate_secret(given(during))

    await deliveries.forget()

    one, other = await WebhookEndpoint.get(id=over), await WebhookEndpoint.get(id=during)
    assert (one.secret, one.previous_secret, one.previous_secret_until) == (new, None, None)
    assert other.previous_secret == kept
    assert other.previous_secret_until > clock.now() + timedelta(hours=23)


async def test_a_deleted_endpoint_keeps_no_secret_and_cannot_be_rotated(db: None) -> None:
    endpoint_id, _ = await endpoint("https://shop.example/", WebhookTopic.TEST)
    await webhooks.rotate_secret(given(endpoint_id))
    await webhooks.delete(given(endpoint_id))

    row = await WebhookEndpoint.get(id=endpoint_id)
    assert (row.secret, row.previous_secret, row.previous_secret_until) == ("", None, None)
    with pytest.raises(Refused) as error:
        await webhooks.rotate_secret(given(endpoint_id))
    assert [(one.code, one.path) for one in error.value.refusals] == [(Code.NOT_FOUND, ("id",))]
