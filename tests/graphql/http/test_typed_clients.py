"""The files of docs/typed-clients.md: generators take them, tsc compiles them, and what comes out follows a real shop."""

import asyncio
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from graphql import GraphQLObjectType, build_schema, get_named_type, is_interface_type, is_scalar_type

from support import server_processes
from support import shop_builders as make

HOME = Path(__file__).parents[3]
CLIENTS = HOME / "tests" / "clients"
TYPED = CLIENTS / "typed"
BIN = CLIENTS / "node_modules" / ".bin"
PATIENCE = 120
PAGING = {"first", "after", "last", "before"}

SCHEMA = build_schema((HOME / "schema.graphql").read_text())
OBJECTS = [
    type_
    for name, type_ in SCHEMA.type_map.items()
    if isinstance(type_, GraphQLObjectType) and not name.startswith("__")
]

# Generated files are next to the files that import them, so only one process may run these tests.
pytestmark = pytest.mark.xdist_group("typed_clients")
needs_node = pytest.mark.skipif(
    "CI" not in os.environ and not (BIN.is_dir() and shutil.which("node")),
    reason="needs node, and npm ci in tests/clients",
)


def run(*command: object, cwd: Path = CLIENTS) -> str:
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def compiled() -> None:
    """Generate types, run relay-compiler, and compile all of it to JavaScript with ``tsc --strict``."""
    run("node", "codegen.mjs")
    (TYPED / "relay" / "__generated__").mkdir(exist_ok=True)
    run(BIN / "relay-compiler", cwd=TYPED / "relay")
    run(BIN / "tsc", "--project", "typed")


@pytest.mark.long
@needs_node
@pytest.mark.usefixtures("compiled")
def test_the_types_are_not_compiled_where_they_take_what_the_schema_refuses(tmp_path: Path) -> None:
    # Not beside the types: another compilation of them would fail meanwhile.
    types = (TYPED / "__generated__" / "operations.js").as_posix()
    (tmp_path / "wrong.ts").write_text(
        f"import type {{ ScanQuery }} from '{types}';\n"
        "export const text = (answer: ScanQuery): string => answer.inventoryItem!.inventoryTotals!.onHand;\n"
    )
    config = {"extends": str(TYPED / "tsconfig.json"), "compilerOptions": {"rootDir": "/"}, "include": ["wrong.ts"]}
    (tmp_path / "tsconfig.json").write_text(json.dumps(config))

    with pytest.raises(AssertionError, match="'number' is not assignable to type 'string'"):
        run(BIN / "tsc", "--project", tmp_path, "--noEmit")


@pytest.mark.long
@needs_node
@pytest.mark.usefixtures("compiled")
@pytest.mark.parametrize("client", ["apollo", "urql"])
async def test_a_page_that_is_kept_follows_an_order_by_the_id_of_the_availability(
    db: None, database_env: dict[str, str], tmp_path: Path, client: str
) -> None:
    await make.shop()
    for sku in ("A-MUG", "B-CUP", "C-JUG"):
        await make.product(sku)
        await make.stock(sku, on_hand=5)

    async with server_processes.running(database_env, tmp_path) as server:
        process = await asyncio.create_subprocess_exec(
            *("node", str(CLIENTS / "typed.mjs"), server.url, await make.token("admin"), client),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        async with asyncio.timeout(PATIENCE):
            output, warnings = await process.communicate()

    paged, status, after = json.loads(output)
    assert paged == [["A-MUG", True], ["B-CUP", True], ["C-JUG", True]]
    assert status == "PLACED"
    assert after == [["A-MUG", False], ["B-CUP", True], ["C-JUG", True]]
    # Both clients warn of objects without an id that they were told nothing of.
    assert warnings.decode() == ""


@pytest.mark.long
@needs_node
@pytest.mark.usefixtures("compiled")
def test_the_cache_of_apollo_knows_every_connection_and_every_interface_that_clients_ask_by() -> None:
    config = json.loads(run("node", "typed.mjs", "config"))

    connections = {
        (type_.name, name): sorted(field.args.keys() - PAGING)
        for type_ in OBJECTS
        for name, field in type_.fields.items()
        if get_named_type(field.type).name.endswith("Connection")
    }
    assert {(type_, name): args for type_, name, args in config["connections"]} == connections
    assert config["possibleTypes"] == {
        name: sorted(possible.name for possible in SCHEMA.get_possible_types(type_))
        for name, type_ in SCHEMA.type_map.items()
        if is_interface_type(type_) and name != "Node"
    }


def test_the_parts_that_urql_is_told_of_are_the_types_without_an_id() -> None:
    (listed,) = re.findall(r"const PARTS = \[(.*?)\];", (TYPED / "urql.ts").read_text(), re.DOTALL)
    roots = (SCHEMA.query_type, SCHEMA.mutation_type, SCHEMA.subscription_type)

    assert re.findall(r"'(\w+)'", listed) == sorted(
        type_.name
        for type_ in OBJECTS
        if "id" not in type_.fields
        and type_ not in roots
        and not type_.name.endswith(("Connection", "Edge", "Payload"))
        and type_.name != "PageInfo"
    )


def test_the_page_names_every_scalar_and_every_type_with_an_id() -> None:
    page = (HOME / "docs" / "typed-clients.md").read_text()
    (row,) = re.findall(r"- \*\*With `id`\*\*: (.*?)\. Ids are", page, re.DOTALL)
    table = [name for line in re.findall(r"^\| (`.*?) \|", page, re.MULTILINE) for name in re.findall(r"`(\w+)`", line)]

    assert set(re.findall(r"`(\w+)`", row)) == {
        type_.name for type_ in SCHEMA.get_possible_types(SCHEMA.type_map["Node"])
    }
    assert sorted(table) == sorted(name for name, type_ in SCHEMA.type_map.items() if is_scalar_type(type_))
