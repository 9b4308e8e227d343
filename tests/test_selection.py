"""Which tests ``--of-database`` leaves out, those that cannot know which database is tested on; and which run alone."""

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from conftest import NAMES_OF_DATABASE, knows_database

TESTS = Path(__file__).parent


def item(module: str, *fixtures: str) -> Any:
    return SimpleNamespace(path=TESTS / module, fixturenames=["tmp_path", *fixtures])


def test_what_takes_the_database_or_names_it_is_kept_and_all_else_is_left_out() -> None:
    assert knows_database(item("rules/test_holds.py", "migrated"))
    assert knows_database(item("store/db/test_postgres.py"))
    assert not knows_database(item("rules/test_holds.py", "migrated_file"))


def test_no_module_that_tests_share_says_which_database_it_is_but_the_one_that_fixtures_read() -> None:
    modules = [path for path in TESTS.rglob("*.py") if not path.name.startswith("test_")]
    naming = {path.name for path in modules if any(name in path.read_text() for name in NAMES_OF_DATABASE)}

    assert naming == {"conftest.py", "worker_databases.py"}


def test_tests_of_one_group_run_in_one_process(tmp_path: Path) -> None:
    """Some pairs of versions of pytest and pytest-xdist ignore groups without a word."""
    (tmp_path / "test_group.py").write_text(
        "import os, pathlib, time, pytest\n"
        "@pytest.mark.xdist_group('one')\n"
        "@pytest.mark.parametrize('number', range(6))\n"
        "def test_of_a_group(number):\n"
        "    time.sleep(0.1)\n"
        "    pathlib.Path(__file__).with_name(os.environ['PYTEST_XDIST_WORKER']).touch()\n"
    )

    done = pytest_of(tmp_path, "-n", "2", "--dist", "loadgroup", "--rootdir", str(tmp_path), str(tmp_path))

    assert done.returncode == 0, done.stdout
    assert len(list(tmp_path.glob("gw*"))) == 1


def test_long_tests_run_on_all_cores_where_their_file_is_named(tmp_path: Path) -> None:
    named = TESTS / "races" / "test_serial_order.py"

    done = pytest_of(TESTS.parent, "-n", "1", "--basetemp", str(tmp_path / "named"), f"{named}::{_LONG}")

    assert "1 passed" in done.stdout


_LONG = "test_calls_that_overlap_may_have_happened_in_either_order"


def pytest_of(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-q", *arguments]
    return subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False)
