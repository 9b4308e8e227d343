"""How the command is called, what version it says it is, and what it warns of when it starts."""

import importlib.metadata
import subprocess
import sys

import pytest

from support.command_line import Run

VERSION = f"gqlstock {importlib.metadata.version('gqlstock')}\n"


def test_the_version_is_told(run: Run) -> None:
    result = run("--version", env={})

    assert (result.exit_code, result.stdout, result.stderr) == (0, VERSION, "")


@pytest.mark.parametrize("module", ["gqlstock", "gqlstock.cli"])
def test_the_package_runs_as_the_command(module: str) -> None:
    told = subprocess.run([sys.executable, "-m", module, "--version"], capture_output=True, text=True, check=False)
    wrong = subprocess.run([sys.executable, "-m", module, "nonsense"], capture_output=True, text=True, check=False)

    assert (told.returncode, told.stdout, told.stderr) == (0, VERSION, "")
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert "No such command 'nonsense'" in wrong.stderr


def test_an_unknown_variable_is_warned_of_once_and_the_command_runs(run: Run, database_env: dict[str, str]) -> None:
    result = run("verify", env={**database_env, "GQLSTOCK_REDIS": "redis://secret@127.0.0.1"})

    assert (result.exit_code, result.stdout) == (0, "Ledger, levels and allocations agree.\n")
    assert result.stderr == "GQLSTOCK_REDIS is unknown and has no effect. Did you mean GQLSTOCK_REDIS_URL?\n"
