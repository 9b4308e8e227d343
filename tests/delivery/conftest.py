"""What delivers webhooks in these tests."""

from collections.abc import AsyncIterator

import pytest

from gqlstock.adapters.http import Http
from gqlstock.delivery.courier import Courier
from gqlstock.delivery.webhooks import Webhooks


@pytest.fixture
async def http() -> AsyncIterator[Http]:
    made = Http(private_addresses=True, seconds=5)
    yield made
    await made.aclose()


@pytest.fixture
def courier(http: Http) -> Courier:
    return Courier(Webhooks(http))
