"""The commands, on a database that is up to date: what they print, and where."""

import re
from pathlib import Path

import pytest

from gqlstock.services import list_orders, order_tokens, tokens
from gqlstock.store.db import sql
from support import shop_builders as make
from support.command_line import Fill, Run

LEVELS = "sku,warehouse,on_hand\nMUG,BERLIN,5\n"
MOMENT = r"\d{4}-\d\d-\d\dT\d\d:\d\dZ"
EXPORT = """\
Handle,Title,Option1 Name,Option1 Value,Variant SKU,Variant Inventory Tracker,Variant Inventory Qty,Variant Inventory Policy
mug,Mug,Title,Default Title,MUG,shopify,5,deny
"""


async def _shop() -> None:
    await make.shop()
    await make.product("MUG")


def test_migrate_says_that_the_database_is_up_to_date_as_often_as_it_is_run(
    run: Run, fresh_env: dict[str, str], tmp_path: Path
) -> None:
    for _ in range(2):
        result = run("migrate", env=fresh_env)

        assert (result.exit_code, result.stdout, result.stderr) == (
            0,
            f"The database {tmp_path}/fresh.db is up to date.\n",
            "",
        )


def test_a_migrated_database_has_the_default_organization(run: Run, fresh_env: dict[str, str]) -> None:
    run("migrate", env=fresh_env)

    result = run("verify", env=fresh_env)

    assert (result.exit_code, result.stdout) == (0, "Ledger, levels and allocations agree.\n")


def test_token_create_prints_the_token_and_nothing_else(run: Run, fill: Fill) -> None:
    result = run("token", "create", "till", "--scope", "orders:write", "--scope", "inventory:read")

    async def check() -> None:
        token = result.stdout.removesuffix("\n")
        caller = (await tokens.callers([token]))[token]
        assert caller is not None
        assert (caller.name, sorted(caller.scopes)) == ("till", ["inventory:read", "orders:write"])

    assert (result.exit_code, result.stderr) == (0, "")
    fill(check)


@pytest.mark.parametrize(
    ("url", "page"),
    [
        ([], "http://127.0.0.1:8000/"),
        (["--url", "https://stock.shop.example"], "https://stock.shop.example/"),
        (["--url", "https://shop.example/stock/"], "https://shop.example/stock/"),
        (["--url", "http://[::1]:8001/wall"], "http://[::1]:8001/wall"),
    ],
)
def test_token_create_prints_a_link_and_no_token(run: Run, fill: Fill, url: list[str], page: str) -> None:
    result = run("token", "create", "anna", "--scope", "inventory:read", "--link", *url)
    listed = run("token", "list")

    async def check() -> None:
        token = await tokens.use_link(result.stdout.removeprefix(f"{page}#code=").removesuffix("\n"))
        assert [caller.name for caller in (await tokens.callers([token])).values()] == ["anna"]

    said = "This link signs anna in once, within 10 minutes. Who opens it has the token's scopes.\n"
    assert (result.exit_code, result.stderr) == (0, said)
    assert re.split(r"\s{2,}", listed.stdout.splitlines()[1])[:2] == ["anna", "unused"]
    fill(check)
    assert "valid" in run("token", "list").stdout


@pytest.mark.parametrize(
    "url",
    [
        "stock.shop.example",
        "ftp://shop.example",
        "https://",
        "http://a:b/",
        "https://shop.example/?a#b",
        "http://a b",
        "",
    ],
)
def test_an_address_that_a_link_cannot_lead_to_is_refused(run: Run, url: str) -> None:
    result = run("token", "create", "anna", "--scope", "inventory:read", "--link", "--url", url)

    right = "--url is like https://stock.shop.example.\n"
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == f"{url or 'An empty text'} is not a URL that a link can lead to. {right}"
    assert len(run("token", "list").stdout.splitlines()) == 1


def test_a_url_is_for_a_link(run: Run) -> None:
    result = run("token", "create", "anna", "--scope", "inventory:read", "--url", "https://stock.shop.example")

    told = "--url is where a link leads to: it needs --link.\n"
    assert (result.exit_code, result.stdout, result.stderr) == (1, "", told)


def test_token_create_takes_warehouses_and_an_end(run: Run, fill: Fill) -> None:
    fill(make.shop)

    made = run("token", "create", "till", "--scope", "admin", "--warehouse", "BERLIN", "--expires", "2999-01-31")
    listed = run("token", "list")

    assert (made.exit_code, made.stderr) == (0, "")
    head, row = (re.split(r"\s{2,}", line) for line in listed.stdout.splitlines())
    assert head == ["NAME", "STATE", "SCOPES", "WAREHOUSES", "CREATED", "EXPIRES", "REVOKED"]
    assert [*row[:4], *row[5:]] == ["till", "valid", "admin", "BERLIN", "2999-01-31T00:00Z", "-"]
    assert re.fullmatch(MOMENT, row[4])
    assert made.stdout.strip() not in listed.stdout


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("x" * 256, "The token name xxxxxxxxx"),
        ("💧" * 256, "The token name 💧"),
        ("till\udcff", "The token name contains a control character."),
        ("", "The token name must not be empty."),
    ],
)
@pytest.mark.parametrize("command", ["create", "revoke"])
def test_a_token_name_that_cannot_be_kept_is_refused_in_one_line(
    run: Run, fill: Fill, command: str, name: str, wrong: str
) -> None:
    result = run("token", command, name, *(["--scope", "admin"] if command == "create" else []))

    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith(wrong)
    assert result.stderr.count("\n") == 1


def test_a_warehouse_that_cannot_be_looked_up_is_refused_in_one_line(run: Run) -> None:
    result = run("token", "create", "till", "--scope", "admin", "--warehouse", "BERLIN\udcff")

    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "The code contains a control character.\n"


def test_an_import_into_a_warehouse_that_cannot_be_looked_up_is_refused_in_one_line(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "products.csv"
    file.write_text(
        "Handle,Title,Option1 Name,Option1 Value,Variant SKU,Variant Inventory Tracker,Variant Inventory Qty,"
        "Variant Inventory Policy\nmug,Mug,,,MUG,shopify,5,deny\n"
    )

    result = run("import", "shopify-products", str(file), "--warehouse", "BERLIN\udcff")

    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "The code contains a control character.\n"


def test_token_revoke_says_so_and_the_list_has_when(run: Run) -> None:
    run("token", "create", "till", "--scope", "orders:read", "--scope", "orders:write")

    revoked = run("token", "revoke", "till")
    listed = run("token", "list").stdout.splitlines()

    assert (revoked.exit_code, revoked.stdout, revoked.stderr) == (0, "", "Revoked the token till.\n")
    row = re.split(r"\s{2,}", listed[1])
    assert row[:4] == ["till", "revoked", "orders:read orders:write", "all"]
    assert re.fullmatch(MOMENT, row[6])


def test_cache_clear_writes_that_everything_is_to_be_read_anew(run: Run, fill: Fill) -> None:
    result = run("cache", "clear")

    async def check() -> None:
        assert [row["topic"] for row in await sql.query("SELECT topic FROM outbox")] == ["RESET"]

    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "Cleared the caches of all servers.\n")
    fill(check)


def test_token_renew_orders_makes_the_access_tokens_of_all_orders_invalid(run: Run, fill: Fill) -> None:
    made: list[str] = []

    async def order() -> None:
        await _shop()
        await make.stock("MUG")
        order_id = await make.order("MUG")
        made.extend(await order_tokens.tokens((await list_orders.by_id([order_id])).values()))

    async def look() -> None:
        (earlier,) = made
        assert await order_tokens.find(earlier) is None
        (placed,) = (await list_orders.by_id([1])).values()
        (token,) = await order_tokens.tokens([placed])
        assert await order_tokens.find(token) == placed

    fill(order)
    renewed = run("token", "renew-orders")

    told = "All orders have new access tokens. The old ones are invalid.\n"
    assert (renewed.exit_code, renewed.stdout, renewed.stderr) == (0, "", told)
    fill(look)


def test_no_token_is_a_list_of_none(run: Run) -> None:
    result = run("token", "list")

    assert (result.exit_code, result.stdout.split()) == (
        0,
        ["NAME", "STATE", "SCOPES", "WAREHOUSES", "CREATED", "EXPIRES", "REVOKED"],
    )


def test_schema_needs_no_database(run: Run) -> None:
    result = run("schema", env={"GQLSTOCK_DATABASE_URL": "postgres://nobody@127.0.0.1:1/nothing"})

    assert result.exit_code == 0
    assert "type Query {" in result.stdout


def test_levels_are_taken_in_and_written_out(run: Run, fill: Fill, tmp_path: Path) -> None:
    fill(_shop)
    (tmp_path / "in.csv").write_text("\ufeff" + LEVELS, encoding="utf-8")

    taken = run("import", "levels", tmp_path / "in.csv")
    shown = run("export", "levels")
    written = run("export", "levels", tmp_path / "out.csv")

    assert (taken.exit_code, taken.stdout, taken.stderr) == (0, "Levels: 1 counted, 0 unchanged.\n", "")
    assert (shown.exit_code, shown.stdout, shown.stderr) == (0, LEVELS, "")
    assert (written.exit_code, written.stdout) == (0, "")
    assert (tmp_path / "out.csv").read_text() == LEVELS


def test_a_shopify_export_is_taken_in(run: Run, fill: Fill, tmp_path: Path) -> None:
    fill(make.shop)
    (tmp_path / "products.csv").write_text(EXPORT)

    result = run("import", "shopify-products", tmp_path / "products.csv", "--warehouse", "BERLIN")

    assert (result.exit_code, result.stdout) == (
        0,
        "Products: 1 created, 0 updated, 0 unchanged.\n"
        "Combinations: 0 created, 0 updated, 0 unchanged.\n"
        "Levels: 1 counted, 0 unchanged.\n",
    )
    assert run("export", "levels").stdout == LEVELS


def test_verify_names_the_differences_and_fails(run: Run, fill: Fill) -> None:
    async def tampered() -> None:
        await _shop()
        await make.stock("MUG", "BERLIN", 5)
        await sql.execute("UPDATE inventory_level SET incoming = 20000")

    fill(tampered)

    result = run("verify")

    assert (result.exit_code, result.stdout) == (1, "MUG@BERLIN: incoming is 2, not 0\n")
    assert result.stderr == "1 figures disagree.\n"
