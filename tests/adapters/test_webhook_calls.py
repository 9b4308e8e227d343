"""Webhooks are called by a library that is imported with the first call."""

import subprocess
import sys

import pytest

from gqlstock.adapters.webhook_calls import WebhookCalls
from support import webhook_receiver


@pytest.mark.parametrize("private", [True, False], ids=["private addresses", "public addresses"])
async def test_calls_go_where_they_may(private: bool) -> None:
    calls = WebhookCalls(private_addresses=private)
    async with webhook_receiver.receiving() as there:
        answers = [await calls.post(f"http://127.0.0.1:{there.port}/", "{}", {}) for _ in range(2)]
        await calls.aclose()

    assert [answer.is_taken for answer in answers] == [private, private]
    assert len(there.received) == (2 if private else 0)


def test_a_server_imports_no_library_that_few_servers_need() -> None:
    loaded = "import sys, gqlstock.cli.serve, gqlstock.cli.worker, gqlstock.app; print(*sys.modules)"

    found = subprocess.run([sys.executable, "-c", loaded], check=True, capture_output=True, text=True).stdout.split()

    assert {"gqlstock.app", "gqlstock.cli.serve"} <= set(found)
    few = {"httpx", "jwt", "cryptography", "aiosmtplib", "redis", "opentelemetry", "rich", "openpyxl", "PIL"}
    assert few.isdisjoint(found)
    # It writes rows of exports, and reads no files.
    assert {one for one in found if one.startswith("gqlstock.formats.")} <= {
        "gqlstock.formats.csv_rows",
        "gqlstock.formats.json_lines",
    }
    assert "gqlstock.cli.demo" not in found
