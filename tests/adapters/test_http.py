"""Where webhooks may go, and how: real connections to receivers on this machine, and a resolver that says what we like."""

import asyncio
import ipaddress
import ssl
from collections.abc import Callable
from typing import Any

import pytest

from gqlstock.adapters.http import Http
from gqlstock.adapters.webhook_calls import Answer
from gqlstock.rules.addresses import Address
from support import webhook_receiver

HEADERS = {"webhook-id": "msg_1", "content-type": "application/json"}


def resolver(*addresses: str, asked: list[str] | None = None) -> Callable[[str, int], Any]:
    """A resolver that knows these addresses for every name."""

    async def resolve(name: str, port: int) -> list[Address]:
        if asked is not None:
            asked.append(name)
        return [ipaddress.ip_address(address) for address in addresses]

    return resolve


async def post(http: Http, url: str) -> Answer:
    try:
        return await http.post(url, '{"a":"ü"}', HEADERS)
    finally:
        await http.aclose()


async def test_a_message_is_posted_as_it_is_to_the_address_that_was_looked_up_under_the_name_that_was_given():
    asked: list[str] = []
    async with webhook_receiver.receiving() as there:
        http = Http(private_addresses=True, resolve=resolver("127.0.0.1", asked=asked))
        answer = await post(http, f"http://hooks.example:{there.port}/a?b=c")

    assert answer == Answer(204, None)
    assert answer.is_taken
    (one,) = there.received
    assert (one.path, one.body, one.id) == ("/a?b=c", '{"a":"ü"}', "msg_1")
    assert one.headers["host"] == f"hooks.example:{there.port}"
    assert one.headers["user-agent"].startswith("gqlstock/")
    # Looked up once: there is no second answer that nobody has checked.
    assert asked == ["hooks.example"]


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["::1"],
        ["::ffff:127.0.0.1"],
        ["10.0.0.8"],
        ["169.254.169.254"],
        ["64:ff9b::7f00:1"],
        ["93.184.215.14", "127.0.0.1"],
    ],
)
async def test_a_name_that_leads_to_a_private_address_is_not_called(addresses):
    async with webhook_receiver.receiving() as there:
        answer = await post(Http(resolve=resolver(*addresses)), f"http://evil.example:{there.port}/")

    assert answer == Answer(None, "evil.example has a private address; webhooks are only sent to public addresses.")
    assert there.received == []


@pytest.mark.parametrize(
    ("host", "told"),
    [
        ("127.0.0.1", "127.0.0.1 has a private address; webhooks are only sent to public addresses."),
        ("2130706433", "2130706433 has a private address; webhooks are only sent to public addresses."),
        ("0x7f.1", "0x7f.1 has a private address; webhooks are only sent to public addresses."),
        ("0177.0.0.1", "Invalid IPv4 address: '0177.0.0.1'"),
        ("[::1]", "::1 has a private address; webhooks are only sent to public addresses."),
        ("[::ffff:7f00:1]", "::ffff:7f00:1 has a private address; webhooks are only sent to public addresses."),
    ],
)
async def test_an_address_in_any_notation_is_not_called_when_it_is_private(host, told):
    async with webhook_receiver.receiving() as there:
        answer = await post(Http(), f"http://{host}:{there.port}/")

    assert answer == Answer(None, told)
    assert there.received == []


async def test_the_systems_resolver_is_asked_and_what_it_says_of_this_machine_is_refused():
    async with webhook_receiver.receiving() as there:
        refused = await post(Http(), there.url().replace("127.0.0.1", "localhost"))
        let_be = await post(Http(private_addresses=True), there.url().replace("127.0.0.1", "localhost"))

    assert refused.error is not None
    assert refused.error.startswith("localhost has a private address")
    assert let_be == Answer(204, None)
    assert len(there.received) == 1


async def test_the_next_address_is_tried_when_nobody_answers_at_the_first():
    async with webhook_receiver.receiving() as there:
        http = Http(private_addresses=True, resolve=resolver("127.0.0.9", "127.0.0.1"))
        answer = await post(http, f"http://hooks.example:{there.port}/")

    assert answer.is_taken


async def test_a_secure_connection_is_made_for_the_name_and_not_for_the_address():
    named: list[str | None] = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.sni_callback = lambda _socket, name, _context: named.append(name)
    server = await asyncio.start_server(lambda _r, _w: None, "127.0.0.1", 0, ssl=context)
    port = server.sockets[0].getsockname()[1]
    try:
        answer = await post(
            Http(private_addresses=True, resolve=resolver("127.0.0.1")), f"https://hooks.example:{port}/"
        )
    finally:
        server.close()

    assert named == ["hooks.example"]
    assert answer.status is None


@pytest.mark.parametrize(
    ("resolved", "url", "told"),
    [
        ([], "http://nowhere.example/", "nowhere.example has no address."),
        (["127.0.0.1"], "http://hooks.example:1/", "All connection attempts failed"),
    ],
)
async def test_what_cannot_be_reached_is_told(resolved, url, told):
    answer = await post(Http(private_addresses=True, resolve=resolver(*resolved)), url)

    assert answer == Answer(None, told)


async def test_an_answer_that_never_comes_is_not_waited_for_for_ever():
    async with webhook_receiver.receiving(lambda _: None) as there:
        answer = await post(Http(private_addresses=True, seconds=0.3), there.url())

    assert answer == Answer(None, "No answer within 0.3 seconds.")


async def test_an_answer_that_never_ends_is_read_to_a_bound():
    endless = b"HTTP/1.1 500 No\r\ncontent-length: 900000000\r\n\r\n" + b"no \x00 " * 200_000
    async with webhook_receiver.receiving(lambda _: endless) as there:
        answer = await post(Http(private_addresses=True, seconds=5), there.url())

    assert answer.status == 500
    assert answer.error is not None
    assert answer.error.startswith("Response status 500: no no no")
    assert len(answer.error) < 250


async def test_what_is_no_answer_is_told():
    async with webhook_receiver.receiving(lambda _: b"hello\r\n\r\n") as there:
        answer = await post(Http(private_addresses=True), there.url())

    assert answer.status is None
    assert answer.error


async def test_no_proxy_of_the_environment_is_asked(monkeypatch: pytest.MonkeyPatch):
    async with webhook_receiver.receiving() as proxy, webhook_receiver.receiving() as there:
        monkeypatch.setenv("HTTP_PROXY", proxy.url())
        monkeypatch.setenv("ALL_PROXY", proxy.url())
        answer = await post(Http(private_addresses=True), there.url())

    assert answer.is_taken
    assert (len(there.received), proxy.received) == (1, [])
