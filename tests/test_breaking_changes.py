"""``tests/clients/breaking_changes.mjs`` compares the schema with the last release's, by the rules of docs/deprecation.md."""

import json
import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

HOME = Path(__file__).parent.parent
CLIENTS = HOME / "tests" / "clients"
RELEASED = HOME / "tests" / "conformance" / "released"

needs_node = pytest.mark.skipif(
    "CI" not in os.environ
    and not ((CLIENTS / "node_modules" / "@graphql-inspector").is_dir() and shutil.which("node")),
    reason="needs node, and npm ci in tests/clients",
)

SCHEMA = """
type Query {
  shelf(sku: String!, first: Int = 10): Shelf
}

type Shelf {
  sku: String!
  count: Int @deprecated(reason: "Use onHand. Deprecated in 0.2.0, removed in 0.4.0.")
  onHand: Int
}

enum State {
  OPEN
  CLOSED
}
"""


def problems(
    directory: Path, replaced: str, by: str, version: str = "0.3.0", allowed: dict[str, str] | None = None
) -> list[str]:
    """What the script says after one change of a small schema."""
    assert replaced in SCHEMA
    files = [directory / name for name in ("released.graphql", "schema.graphql", "allowed.json")]
    texts = [SCHEMA, SCHEMA.replace(replaced, by), json.dumps(allowed or {})]
    for file, text in zip(files, texts, strict=True):
        file.write_text(text)
    return compared(*files, version=version)


def compared(*files: Path, version: str) -> list[str]:
    """What the script says of two schemas and a list of allowed changes."""
    done = subprocess.run(
        ["node", str(CLIENTS / "breaking_changes.mjs"), *map(str, files), version],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stderr == ""
    assert done.returncode == (1 if done.stdout else 0)
    return done.stdout.splitlines()


@needs_node
@pytest.mark.parametrize(
    ("replaced", "by", "problem"),
    [
        ("  onHand: Int\n", "", "Field 'onHand' was removed from object type 'Shelf'"),
        ("sku: String!\n", "sku: String\n", "Field 'Shelf.sku' changed type from 'String!' to 'String'"),
        (
            "sku: String!, ",
            "sku: ID!, ",
            "Type for argument 'sku' on field 'Query.shelf' changed from 'String!' to 'ID!'",
        ),
        (
            "first: Int = 10",
            "first: Int = 20",
            "Default value for argument 'first' on field 'Query.shelf' changed from '10' to '20'",
        ),
        ("  CLOSED\n", "", "Enum value 'CLOSED' was removed from enum 'State'"),
    ],
)
def test_a_breaking_change_is_named(tmp_path: Path, replaced: str, by: str, problem: str) -> None:
    assert problems(tmp_path, replaced, by) == [problem]


@needs_node
@pytest.mark.parametrize(
    ("replaced", "by"),
    [
        ("  onHand: Int\n", "  onHand: Int\n  held: Int\n"),
        ("first: Int = 10", "first: Int = 10, after: String"),
        ("  CLOSED\n", "  CLOSED\n  LOST\n"),
        ("sku: String!, ", "sku: String, "),
        ("  onHand: Int\n", '  onHand: Int @deprecated(reason: "Use count. Deprecated in 0.3.0, removed in 0.5.0.")\n'),
    ],
)
def test_a_compatible_change_is_not_named(tmp_path: Path, replaced: str, by: str) -> None:
    assert problems(tmp_path, replaced, by) == []


@needs_node
@pytest.mark.parametrize(
    ("version", "named"),
    [("0.3.9", ["Field 'count' (deprecated) was removed from object type 'Shelf'"]), ("0.4.0", []), ("1.0.0", [])],
)
def test_a_deprecated_field_stays_until_the_version_that_its_reason_names(
    tmp_path: Path, version: str, named: list[str]
) -> None:
    (line,) = re.findall(r"  count: Int.*\n", SCHEMA)

    assert problems(tmp_path, line, "", version) == named


@needs_node
def test_a_breaking_change_that_is_meant_is_allowed_by_its_message_and_no_longer_than_it_is_one(tmp_path: Path) -> None:
    removed = "Enum value 'CLOSED' was removed from enum 'State'"

    assert problems(tmp_path, "  CLOSED\n", "", allowed={removed: "Nothing was ever CLOSED."}) == []
    assert problems(tmp_path, "  CLOSED\n", "  CLOSED\n", allowed={removed: "…"}) == [
        f"Allowed, but no change: {removed}"
    ]


@needs_node
def test_a_breaking_change_of_the_schema_since_the_last_release_is_named(tmp_path: Path) -> None:
    schema = (HOME / "schema.graphql").read_text()
    (line,) = re.findall(r"^  onHand: Quantity!$", schema[schema.index("type InventoryLevel ") :], re.MULTILINE)[:1]
    broken = tmp_path / "schema.graphql"
    before, level = schema.split("type InventoryLevel ", 1)
    broken.write_text(f"{before}type InventoryLevel {level.replace(line, '  stocked: Quantity!', 1)}")
    last, allowed = RELEASED / f"schema-{released()[0]}.graphql", RELEASED / "breaking_changes.json"

    assert compared(last, HOME / "schema.graphql", allowed, version=released()[0]) == []
    assert compared(last, broken, allowed, version=released()[0]) == [
        "Field 'onHand' was removed from object type 'InventoryLevel'"
    ]


@needs_node
def test_a_deprecation_names_the_replacement_and_both_versions(tmp_path: Path) -> None:
    assert problems(tmp_path, "  onHand: Int\n", '  onHand: Int @deprecated(reason: "Use count.")\n') == [
        'Shelf.onHand: "Use count." is not "Use …. Deprecated in x.y.z, removed in x.y.z."'
    ]


def released() -> list[str]:
    """The versions of the changelog, latest first."""
    return re.findall(r"^## \[(\d\S*)\] - \d{4}-\d\d-\d\d$", (HOME / "CHANGELOG.md").read_text(), re.MULTILINE)


def test_each_release_has_its_schema_and_the_last_one_is_the_version() -> None:
    version = tomllib.loads((HOME / "pyproject.toml").read_text())["project"]["version"]

    assert released()[0] == version
    assert sorted(file.name for file in RELEASED.glob("*.graphql")) == sorted(
        f"schema-{release}.graphql" for release in released()
    )


def test_the_changelog_says_what_callers_must_do_and_begins_with_what_is_not_released() -> None:
    headings = re.findall(r"^##+ (.*)$", (HOME / "CHANGELOG.md").read_text(), re.MULTILINE)

    assert headings[0] == "[Unreleased]"
    assert headings[headings.index(next(h for h in headings if h.startswith("[0.2.0]"))) + 1] == "What callers must do"
