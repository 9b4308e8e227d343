"""``gqlstock init``, from no database to an order."""

import asyncio

from gqlstock.config import Config
from gqlstock.services import tokens
from gqlstock.store.db import connection
from support.command_line import Run

SHOP = ("init", "--warehouse", "BERLIN", "--website", "shop")


def test_init_makes_the_database_and_prints_the_token_and_nothing_else(run: Run, fresh_env: dict[str, str]) -> None:
    result = run(*SHOP, env=fresh_env)

    async def caller() -> str:
        async with connection.opened(Config.from_env(fresh_env).database):
            token = result.stdout.removesuffix("\n")
            return (await tokens.callers([token]))[token].name

    assert result.exit_code == 0
    assert asyncio.run(caller()) == "admin"
    assert result.stderr == (
        "Warehouse BERLIN: created.\n"
        "Website shop: created, sells from BERLIN.\n"
        "Admin token admin: created, printed only once.\n"
    )
    assert run("verify", env=fresh_env).exit_code == 0


def test_init_again_prints_no_token(run: Run) -> None:
    run(*SHOP)

    again = run(*SHOP)

    assert (again.exit_code, again.stdout) == (0, "")
    assert again.stderr.splitlines()[2] == (
        "Admin token: none created; existing: admin. Create another with gqlstock token create NAME --scope admin."
    )


def test_init_takes_names(run: Run) -> None:
    named = ("--warehouse-name", "Berlin", "--website-name", "The shop", "--token-name", "boss")
    run(*SHOP, *named)

    again = run(*SHOP)

    assert again.stderr.splitlines()[:2] == [
        "Warehouse BERLIN: already exists, Berlin.",
        "Website shop: already exists, The shop, sells from BERLIN.",
    ]
    assert "existing: boss." in again.stderr


def test_a_code_that_cannot_be_kept_is_refused_in_one_line(run: Run) -> None:
    result = run("init", "--warehouse", "BERLIN\udcff", "--website", "shop")

    assert (result.exit_code, result.stdout, result.stderr) == (1, "", "The code contains a control character.\n")
