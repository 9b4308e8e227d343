"""The pages for operators are true where PostgreSQL, containers and metrics are concerned; test_docs runs the rest."""

import os
import re
from pathlib import Path

import pytest

from gqlstock import config
from support.documentation_pages import HOME, run, script

POSTGRES = os.environ.get("GQLSTOCK_TEST_DATABASE_URL")


def page(name: str) -> str:
    return (HOME / "docs" / f"{name}.md").read_text()


@pytest.mark.skipif(POSTGRES is None, reason="needs GQLSTOCK_TEST_DATABASE_URL")
def test_the_commands_on_postgresql_run(database_env: dict[str, str], tmp_path: Path) -> None:
    url = database_env["GQLSTOCK_DATABASE_URL"]
    name = f"{url.rpartition('/')[2]}_restored"
    commands = script(HOME / "docs" / "backup.md", "bash").replace("DATABASE restored", f"DATABASE {name}")
    drop = f'psql --quiet "$GQLSTOCK_DATABASE_URL" --command="DROP DATABASE IF EXISTS {name}"\n'
    urls = {"GQLSTOCK_DATABASE_URL": url, "RESTORED_URL": f"{url.rpartition('/')[0]}/{name}"}

    run(drop, tmp_path, **urls)
    told = run(commands, tmp_path, **urls)
    run(drop, tmp_path, **urls)

    assert told.endswith("Ledger, levels and allocations agree.\n")


def test_containers_and_the_unit_are_told_only_what_is_read() -> None:
    read = {value for value in vars(config).values() if isinstance(value, str) and value.startswith("GQLSTOCK_")}
    texts = [(HOME / name).read_text() for name in ("Dockerfile", "compose.yaml")]
    texts += [page(name) for name in ("operations", "backup", "upgrade")]

    named = set(re.findall(r"GQLSTOCK_[A-Z_]+", "".join(texts)))

    assert len(named) > 5
    assert named <= read


def test_every_metric_is_in_the_table_and_no_other() -> None:
    source = (HOME / "src" / "gqlstock" / "adapters" / "metrics.py").read_text()
    made = set(re.findall(r'"(gqlstock_\w+)"', source))
    listed = {name.removesuffix("_total") for name in re.findall(r"`(gqlstock_\w+)`", page("operations"))}

    assert len(made) > 10
    assert listed == made
