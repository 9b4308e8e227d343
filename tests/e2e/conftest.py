"""The shop of each module of browser tests: one server, which sells from Berlin, then from Lyon."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from gqlstock.store.db import connection
from gqlstock.store.db.connection import DatabaseUrl
from support import server_processes
from support import shop_builders as make
from support.browsed_shop import Shop


@pytest.fixture(scope="module")
def shop(
    request: pytest.FixtureRequest,
    database_of_module: DatabaseUrl,
    env_of_module: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Shop]:
    """A module may name other WAREHOUSES, and other SHOP_SETTINGS of the system."""
    warehouses: list[str] = getattr(request.module, "WAREHOUSES", ["BERLIN", "LYON"])
    settings: dict[str, Any] = getattr(request.module, "SHOP_SETTINGS", {"notify_below": 10})

    async def stock_up() -> None:
        async with connection.opened(database_of_module, everywhere=True):
            for code in warehouses:
                await make.warehouse(code)
            await make.website("shop", warehouses=warehouses)
            if settings:
                await make.setting(system=True, **settings)

    asyncio.run(stock_up())
    opened = Shop(env_of_module, tmp_path_factory.mktemp("server"))
    try:
        asyncio.run(server_processes.ready(opened.server))
        yield opened
    finally:
        server_processes.stop(opened.server)


@pytest.fixture
async def db(shop: Shop, database_of_module: DatabaseUrl) -> AsyncIterator[None]:
    """The server's database."""
    async with connection.opened(database_of_module, everywhere=True):
        yield
