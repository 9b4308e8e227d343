from datetime import timedelta

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
        (Topic.ALERT, RAISED | {"state": "RESOLVED"}, []),
        (Topic.TRANSFER, {}, [WebhookTopic.TRANSFER_UPDATED]),
        (Topic.ITEM, {}, []),
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
    assert refusal.message == f"{url} is a private address: webhooks go to public ones only."


@pytest.mark.parametrize("url", ["https://shop.example/hooks?a=1", "http://8.8.8.8:8080", "https://bücher.example/ü"])
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
