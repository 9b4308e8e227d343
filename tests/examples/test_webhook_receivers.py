"""The receivers of webhooks in Python and JavaScript, each in a process of its own: what they take and what they refuse."""

import asyncio
import contextlib
import os
import shutil
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from standardwebhooks import Webhook

from gqlstock.adapters.http import Http
from gqlstock.delivery.courier import Courier
from gqlstock.delivery.webhooks import Webhooks
from gqlstock.rules.given_ids import GivenId
from gqlstock.rules.retries import WorkState
from gqlstock.rules.webhooks import WebhookTopic
from gqlstock.services import webhooks
from gqlstock.store.webhooks import WebhookDelivery
from support import server_processes, settable_clock
from support import shop_builders as make
from support.webhook_deliveries import delivered, endpoint

EXAMPLES = Path(__file__).parent.parent.parent / "examples"
PACKAGES = Path(__file__).parent.parent / "clients" / "node_modules"
SECRET, OTHER = "whsec_c2VjcmV0IG9mIHRoZSBzaG9w", "whsec_bm90IHRoZSBzZWNyZXQgYXQgYWxs"
has_node = "CI" in os.environ or (shutil.which("node") and (PACKAGES / "standardwebhooks").is_dir())


@pytest.fixture(
    params=[
        "python",
        pytest.param("javascript", marks=pytest.mark.skipif(not has_node, reason="needs node and its packages")),
    ]
)
def language(request: pytest.FixtureRequest) -> str:
    return request.param


@dataclass(frozen=True)
class Listening:
    """A receiver that listens, and the file that it prints into."""

    url: str
    printed: Path

    async def post(self, sent: dict[str, Any]) -> int:
        async with httpx.AsyncClient(verify=False) as http:
            return (await http.post(self.url, **sent)).status_code

    async def types(self, count: int = 1) -> list[str]:
        """The types of the messages that it handled, once there are so many."""
        async with asyncio.timeout(server_processes.PATIENCE):
            while len(lines := self.printed.read_text().splitlines()) < count:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        return [line.split()[0] for line in lines]


def command(language: str, directory: Path) -> list[str]:
    """The example as it is started; that of JavaScript finds its packages beside it."""
    if language == "python":
        return [sys.executable, str(EXAMPLES / "webhook_receiver.py")]
    if not (directory / "node_modules").exists():
        (directory / "node_modules").symlink_to(PACKAGES)
    return ["node", shutil.copy(EXAMPLES / "webhook_receiver.mjs", directory)]


@contextlib.asynccontextmanager
async def receiving(language: str, secret: str, directory: Path, name: str = "receiver") -> AsyncIterator[Listening]:
    port = server_processes.free_port()
    env = {
        **os.environ,
        "WEBHOOK_SECRET": secret,
        "WEBHOOK_DATABASE": str(directory / f"{name}.db"),
        "WEBHOOK_HANDLED": str(directory / f"{name}.txt"),
    }
    there = Listening(f"http://127.0.0.1:{port}/", directory / f"{name}.printed")
    with there.printed.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *command(language, directory), str(port), env=env, stdout=output, stderr=output
        )
    try:
        async with asyncio.timeout(server_processes.PATIENCE):
            while True:
                with contextlib.suppress(httpx.TransportError):
                    await there.post({})
                    break
                await asyncio.sleep(0.05)
        yield there
    finally:
        process.kill()
        await process.wait()


def signed(secret: str, body: str, message_id: str = "msg_1", *, age: timedelta = timedelta(0)) -> dict[str, Any]:
    """What httpx sends for a message of that age."""
    moment = datetime.now(UTC) - age
    headers = {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": Webhook(secret).sign(message_id, moment, body),
    }
    return {"content": body, "headers": headers}


async def test_the_receiver_handles_once_what_is_sent_twice_and_refuses_what_is_not_signed(
    language: str, tmp_path: Path
) -> None:
    body = '{"type": "order.placed", "data": {"order": {"number": "100001"}}}'
    sent = [
        signed(SECRET, body),
        signed(SECRET, body),
        signed(OTHER, body, "msg_2"),
        signed(SECRET, body, "msg_3", age=timedelta(minutes=10)),
        {"content": body},
        signed(SECRET, body, "msg_4"),
    ]
    async with receiving(language, SECRET, tmp_path) as there:
        answers = [await there.post(one) for one in sent]

    assert answers == [204, 204, 401, 401, 401, 204]
    told = {"python": "{'order': {'number': '100001'}}", "javascript": '{"order":{"number":"100001"}}'}[language]
    assert there.printed.read_text() == f"order.placed {told}\n" * 2


async def test_the_receiver_knows_what_it_handled_before_it_was_started_again(language: str, tmp_path: Path) -> None:
    sent = signed(SECRET, '{"type": "order.placed", "data": {}}')
    answers = []
    for _ in range(2):
        async with receiving(language, SECRET, tmp_path) as there:
            answers.append(await there.post(sent))
            answers.append(await there.post(signed(SECRET, '{"type": "test", "data": {}}', "msg_2")))

    assert answers == [204] * 4
    assert there.printed.read_text() == ""


async def test_the_receiver_takes_what_a_server_sends(
    language: str, db: None, database_env: dict[str, str], tmp_path: Path
) -> None:
    await make.shop()
    await make.product("MUG")
    await make.stock("MUG", on_hand=5)
    env = {**database_env, "GQLSTOCK_WEBHOOK_PRIVATE_ADDRESSES": "true"}
    endpoint_id, secret = await endpoint("http://127.0.0.1:1/", WebhookTopic.OUT_OF_STOCK)

    async with server_processes.running(env, tmp_path), receiving(language, secret, tmp_path) as there:
        await webhooks.update(GivenId(endpoint_id, "x"), {"url": there.url}, private_addresses=True)
        await make.order("MUG", 5)
        assert await there.types() == ["inventory.out_of_stock"]
        # The server signs with what another process has just rotated: both know the secret from before.
        await webhooks.rotate_secret(GivenId(endpoint_id, "x"))
        await webhooks.send_test(GivenId(endpoint_id, "x"))
        assert await there.types(2) == ["inventory.out_of_stock", "test"]

    assert [row.state for row in await WebhookDelivery.all()] == [WorkState.DELIVERED] * 2


async def test_receivers_verify_before_during_and_after_a_rotation(language: str, db: None, tmp_path: Path) -> None:
    endpoint_id, old = await endpoint("http://127.0.0.1:1/", WebhookTopic.TEST)
    given = GivenId(endpoint_id, "x")
    http = Http(private_addresses=True)
    courier = Courier(Webhooks(http))

    async def answer(there: Listening) -> int | None:
        """What a receiver answers to a test now."""
        await webhooks.update(given, {"url": there.url}, private_addresses=True)
        sent = await webhooks.send_test(given)
        await delivered(courier)
        return (await WebhookDelivery.get(id=sent)).last_status_code

    async with contextlib.AsyncExitStack() as stack:
        with_old = await stack.enter_async_context(receiving(language, old, tmp_path, "old"))
        before = await answer(with_old)
        with settable_clock.ahead(-timedelta(hours=23, minutes=59)):
            _, new = await webhooks.rotate_secret(given)
        with_new = await stack.enter_async_context(receiving(language, new, tmp_path, "new"))
        during = [await answer(there) for there in (with_old, with_new)]
        # A day and a minute after a rotation, only its own secret signs.
        with settable_clock.ahead(-timedelta(hours=24, minutes=1)):
            _, newest = await webhooks.rotate_secret(given)
        with_newest = await stack.enter_async_context(receiving(language, newest, tmp_path, "newest"))
        after = [await answer(there) for there in (with_old, with_new, with_newest)]
    await http.aclose()

    assert (before, during, after) == (204, [204, 204], [401, 401, 204])
    assert await with_old.types(2) == ["test", "test"]
