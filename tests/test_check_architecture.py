"""``scripts/check_architecture.py`` names each broken rule of docs/architecture.md."""

import importlib.util
from pathlib import Path

import pytest

_SCRIPT = Path(__file__).parent.parent / "scripts" / "check_architecture.py"
_TABLE = "class InventoryLevel(Model):\n    class Meta:\n        table = 'inventory_level'\n"
_WRITER = "_SET = 'UPDATE inventory_level SET on_hand = ?'\n\n\nasync def write(levels):\n    await run(_SET, levels)\n"
_RIGHT = {
    "store/levels.py": _TABLE + _WRITER,
    "stock/ledger.py": "from gqlstock.store import levels\n\n\nasync def enter():\n    await levels.write([])\n",
    "stock/transaction.py": "from gqlstock.stock import ledger\n\n\nasync def run():\n    await ledger.enter()\n",
}


def problems(source: Path, files: dict[str, str]) -> list[str]:
    """What the script says of a package of these files."""
    spec = importlib.util.spec_from_file_location("check_architecture", _SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    for name, text in files.items():
        path = source / "gqlstock" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return [str(problem).removeprefix(f"{source}/gqlstock/") for problem in script.problems(source)]


def test_what_keeps_the_rules_has_no_problems(tmp_path: Path) -> None:
    assert problems(tmp_path, _RIGHT) == []


@pytest.mark.parametrize(
    ("name", "text", "wanted"),
    [
        (
            "services/count.py",
            "from gqlstock.store import levels\n\n\nasync def count():\n    await levels.write([])\n",
            "services/count.py:5: gqlstock.store.levels.write writes stock; only gqlstock.stock.ledger may call it",
        ),
        (
            "services/count.py",
            "from gqlstock.store.levels import write as put\n",
            "services/count.py:1: gqlstock.store.levels.write writes stock; only gqlstock.stock.ledger may call it",
        ),
        (
            "services/count.py",
            "from gqlstock.stock import ledger\n\n\nasync def count():\n    await ledger.enter()\n",
            "services/count.py:5: gqlstock.stock.ledger.enter changes stock outside gqlstock.stock.transaction",
        ),
        (
            "services/count.py",
            "from gqlstock.store.db import tables\n\n\nasync def count():\n    await tables.insert(StockMovement, [])\n",
            "services/count.py:5: records of stock are written; only gqlstock.stock.ledger may have that done",
        ),
        (
            "graphql/levels.py",
            "from gqlstock.store.levels import InventoryLevel\n",
            "graphql/levels.py:1: the table gqlstock.store.levels.InventoryLevel is used above the store",
        ),
        (
            "services/levels.py",
            "from gqlstock.store import levels as rows\nif TYPE_CHECKING:\n    Kind = rows.InventoryLevel\n",
            "services/levels.py:3: the table gqlstock.store.levels.InventoryLevel is used above the store",
        ),
        (
            "rules/quantities.py",
            "\n" * 351,
            "rules/quantities.py: 351 lines, at most 350",
        ),
        (
            "store/levels.py",
            _TABLE + _WRITER + "if TYPE_CHECKING:\n    from gqlstock.stock import ledger\n",
            "import cycle: gqlstock.store.levels <- gqlstock.stock.ledger <- gqlstock.store.levels",
        ),
    ],
    ids=[
        "writer called",
        "writer imported",
        "ledger called",
        "record written",
        "table imported",
        "table for types",
        "long",
        "cycle",
    ],
)
def test_a_broken_rule_is_named(tmp_path: Path, name: str, text: str, wanted: str) -> None:
    found = problems(tmp_path, {**_RIGHT, name: text})

    assert wanted in found or (wanted.startswith("import cycle") and [one[:13] for one in found] == ["import cycle:"])


def test_graphql_types_may_refer_to_each_other(tmp_path: Path) -> None:
    lazy = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from gqlstock.graphql.schema import {}\n"
    files = {"graphql/schema/orders.py": lazy.format("items"), "graphql/schema/items.py": lazy.format("orders")}

    assert problems(tmp_path, {**_RIGHT, **files}) == []
