from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from gqlstock.rules import retries, webhooks
from gqlstock.rules.events import Topic
from gqlstock.rules.refusals import Code, Refused
from gqlstock.rules.webhooks import WebhookTopic

MOVED = {"expected_at_before": None, "expected_at": "2036-12-10T00:00:00+00:00"}
RAISED = {"state": "RAISED", "acknowledged_at": None}


@pytest.mark.parametrize(
    ("news", "data", "topics"),
    [
        (Topic.LEVEL, {"movement": 1}, [WebhookTopic.INVENTORY_CHANGED]),
        (Topic.LEVEL, {}, [WebhookTopic.INVENTORY_CHANGED]),
        (Topic.ORDER, {"placed": True}, [WebhookTopic.ORDER_PLACED]),
        (Topic.ORDER, {}, [WebhookTopic.ORDER_UPDATED]),
        (Topic.ORDER, MOVED, [WebhookTopic.ORDER_DATE_CHANGED]),
        (Topic.ORDER, MOVED | {"updated": True}, [WebhookTopic.ORDER_UPDATED, WebhookTopic.ORDER_DATE_CHANGED]),
        (Topic.STOCK, {"website": 1, "in_stock": True}, [WebhookTopic.BACK_IN_STOCK]),
        (Topic.STOCK, {"website": 1, "in_stock": False}, [WebhookTopic.OUT_OF_STOCK]),
        (Topic.ALERT, RAISED, [WebhookTopic.LOW_INVENTORY]),
        (Topic.ALERT, RAISED | {"acknowledged_at": "2026-01-01T00:00:00+00:00"}, []),
        (Topic.ALERT, RAISED | {"state": "RESOLVED"}, [WebhookTopic.LOW_INVENTORY_RESOLVED]),
        (
            Topic.ALERT,
            {"state": "RESOLVED", "acknowledged_at": "2026-01-01T00:00:00+00:00"},
            [WebhookTopic.LOW_INVENTORY_RESOLVED],
        ),
        (
            Topic.ALERT,
            {"state": "RESOLVED", "acknowledged_at": "2026-01-01T00:00:00+00:00", "acknowledging": True},
            [],
        ),
        (Topic.ORDER, {"left": [1]}, [WebhookTopic.ORDER_UPDATED]),
        (Topic.TRANSFER, {}, [WebhookTopic.TRANSFER_UPDATED]),
        (Topic.SHIPMENT, {"state_before": None, "state": "READY"}, [WebhookTopic.SHIPMENT_UPDATED]),
        (Topic.ITEM, {}, [WebhookTopic.PRODUCT_UPDATED]),
        (Topic.ITEM, {"change": "CREATED"}, [WebhookTopic.PRODUCT_UPDATED]),
        (Topic.ITEM, {"change": "DELETED"}, [WebhookTopic.PRODUCT_UPDATED]),
        (Topic.ITEM, {"change": "NONE"}, []),
        (Topic.LEVEL_ROW, {}, []),
        (Topic.SETTINGS, {}, []),
        (Topic.UNKNOWN, {}, []),
    ],
)
def test_which_news_is_which_topic(news, data, topics):
    assert list(webhooks.topics_of(news, data)) == topics


def test_every_topic_has_a_name():
    assert webhooks.TYPES.keys() == set(WebhookTopic)
    assert len(set(webhooks.TYPES.values())) == len(WebhookTopic)


@pytest.mark.parametrize("url", ["http://127.0.0.1:9000/", "https://localhost/x", "http://[::1]/"])
def test_a_private_address_is_refused_unless_the_operator_lets_it_be(url):
    assert webhooks.url(url, private_addresses=True) == url
    with pytest.raises(Refused) as error:
        webhooks.url(url, private_addresses=False)
    (refusal,) = error.value.refusals
    assert (refusal.code, refusal.path) == (Code.INVALID_INPUT, ("url",))
    assert refusal.message == (
        f"{url} is a private address; webhooks go to public addresses, unless GQLSTOCK_WEBHOOK_PRIVATE_ADDRESSES is true."
    )


@pytest.mark.parametrize("url", ["http://8.8.8.8:8080", "http://shop.example/hooks", "HTTP://shop.example/"])
def test_a_url_without_encryption_is_refused_unless_private_addresses_are_allowed(url):
    assert webhooks.url(url, private_addresses=True) == url
    with pytest.raises(Refused) as error:
        webhooks.url(url, private_addresses=False)
    (refusal,) = error.value.refusals
    assert (refusal.code, refusal.path) == (Code.INVALID_INPUT, ("url",))
    assert refusal.message == (
        f"{url} is not encrypted; use https://. http:// requires GQLSTOCK_WEBHOOK_PRIVATE_ADDRESSES=true."
    )


ENDPOINT = webhooks.WebhookEndpoint(
    id=1,
    url="https://shop.example/",
    stored_topics=["ORDER_UPDATED"],
    warehouses=None,
    active=True,
    secret="new",
    previous_secret=None,
    previous_secret_until=None,
    since_era=0,
    since_tx=0,
    since_id=0,
    created_at=datetime(2026, 1, 1, tzinfo=UTC),
    deleted_at=None,
)
TOPIC, OTHER = WebhookTopic.ORDER_UPDATED, WebhookTopic.ORDER_PLACED


@pytest.mark.parametrize(
    ("warehouses", "topic", "concerns", "wanted"),
    [
        (None, TOPIC, [], True),
        (None, TOPIC, [7], True),
        (None, OTHER, [], False),
        ([1, 2], TOPIC, [2, 7], True),
        ([1, 2], TOPIC, [7], False),
        ([1, 2], TOPIC, [], True),
        ([1, 2], OTHER, [1], False),
    ],
)
def test_an_endpoint_gets_its_topics_about_its_warehouses_and_about_none(warehouses, topic, concerns, wanted):
    assert replace(ENDPOINT, warehouses=warehouses).wants(topic, concerns) is wanted


def test_after_a_rotation_both_secrets_sign_for_a_day_and_then_the_new_one():
    at = datetime(2026, 5, 1, 12, tzinfo=UTC)
    rotated = webhooks.rotated(replace(ENDPOINT, secret="old"), "new", at)

    assert replace(ENDPOINT, secret="old").secrets(at) == ["old"]
    assert rotated.secrets(at) == ["new", "old"]
    assert rotated.secrets(at + timedelta(hours=24) - timedelta(microseconds=1)) == ["new", "old"]
    assert rotated.secrets(at + timedelta(hours=24)) == ["new"]


def test_after_a_second_rotation_only_the_last_two_secrets_sign():
    at = datetime(2026, 5, 1, 12, tzinfo=UTC)
    first = webhooks.rotated(replace(ENDPOINT, secret="oldest"), "old", at)
    second = webhooks.rotated(first, "new", at + timedelta(hours=1))

    assert second.secrets(at + timedelta(hours=1)) == ["new", "old"]
    assert second.secrets(at + timedelta(hours=24, minutes=59)) == ["new", "old"]
    assert second.secrets(at + timedelta(hours=25)) == ["new"]


@pytest.mark.parametrize("url", ["https://shop.example/hooks?a=1", "https://8.8.8.8:8080", "https://bücher.example/ü"])
def test_an_address_of_the_web_is_taken_as_it_is(url):
    assert webhooks.url(url, private_addresses=False) == url


def test_the_pauses_grow_and_then_it_is_given_up():
    assert [retries.pause(failed, 0.5) for failed in range(1, 9)] == [
        timedelta(seconds=1),
        timedelta(seconds=5),
        timedelta(seconds=30),
        timedelta(minutes=5),
        timedelta(minutes=30),
        timedelta(hours=2),
        timedelta(hours=6),
        None,
    ]


def test_what_failed_together_is_not_tried_again_together():
    assert [retries.pause(3, chance) for chance in (0.0, 1.0)] == [timedelta(seconds=27), timedelta(seconds=33)]
