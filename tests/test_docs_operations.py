"""The pages for operators are true: their commands run, as they stand, one after another."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from gqlstock import config
from server import free_port
from terminal import PATIENCE

HOME = Path(__file__).parent.parent
POSTGRES = os.environ.get("GQLSTOCK_TEST_DATABASE_URL")


def page(name: str) -> str:
    return (HOME / "docs" / f"{name}.md").read_text()


def blocks(name: str, language: str) -> str:
    """The page's blocks of a language, as one script."""
    found = re.findall(rf"^( *)```{language}\n(.*?)^ *```", page(name), re.DOTALL | re.MULTILINE)
    return "".join(text.replace(f"\n{indent}", "\n") for indent, text in found)


def run(script: str, directory: Path, **env: str) -> str:
    """What a script prints; it must end well."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=directory,
        env={**os.environ, "GQLSTOCK_REDIS_URL": "", **env, "PATH": path},
        capture_output=True,
        text=True,
        timeout=PATIENCE * 2,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_one_process_is_started_looked_at_and_stopped(tmp_path: Path) -> None:
    script = blocks("operations", "sh").replace("8000", str(free_port()))

    told = run(script, tmp_path)

    assert told.splitlines() == ["The database is up to date.", "ok", "ok", *told.splitlines()[3:]]
    assert told.endswith("gqlstock_orders_placed_total 0.0\n")


@pytest.mark.parametrize("name", ["backup", "upgrade"])
def test_the_commands_on_sqlite_run(tmp_path: Path, name: str) -> None:
    url = "sqlite:///shop.db"
    run("gqlstock migrate", tmp_path, GQLSTOCK_DATABASE_URL=url)

    told = run(blocks(name, "sh"), tmp_path, GQLSTOCK_DATABASE_URL=url)

    assert told.endswith("Ledger, levels and allocations agree.\n")


@pytest.mark.skipif(POSTGRES is None, reason="needs GQLSTOCK_TEST_DATABASE_URL")
def test_the_commands_on_postgresql_run(database_env: dict[str, str], tmp_path: Path) -> None:
    url = database_env["GQLSTOCK_DATABASE_URL"]
    name = f"{url.rpartition('/')[2]}_restored"
    script = blocks("backup", "bash").replace("DATABASE restored", f"DATABASE {name}")
    drop = f'psql --quiet "$GQLSTOCK_DATABASE_URL" --command="DROP DATABASE IF EXISTS {name}"\n'
    urls = {"GQLSTOCK_DATABASE_URL": url, "RESTORED_URL": f"{url.rpartition('/')[0]}/{name}"}

    run(drop, tmp_path, **urls)
    told = run(script, tmp_path, **urls)
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
