"""Whatever goes wrong is a plain line on stderr and exit code 1; wrong usage is 2."""

import contextlib
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from gqlstock.store.db import clock, sql
from support import shop_builders as make
from support.command_line import PATIENCE, Fill, Run

NOT_UP_TO_DATE = "The database is not up to date: run gqlstock migrate.\n"


@pytest.mark.parametrize("command", ["serve", "verify", "export levels", "token create till --scope admin"])
def test_an_old_schema_is_refused_with_the_way_out(run: Run, old_env: dict[str, str], command: str) -> None:
    result = run(*command.split(), env=old_env)

    assert (result.exit_code, result.stdout, result.stderr) == (1, "", NOT_UP_TO_DATE)


COMMANDS = [
    "serve",
    "serve --workers 2",
    "verify",
    "token list",
    "token create till --scope admin",
    "token revoke till",
    "token renew-orders",
    "export levels",
    "import levels in.csv",
    "import shopify-products in.csv --warehouse BERLIN",
    "backup copy.db",
]


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The working directory: one with a file to import, and no database."""
    monkeypatch.delenv("GQLSTOCK_DATABASE_URL", raising=False)
    here = tmp_path / "folder"
    here.mkdir()
    monkeypatch.chdir(here)
    (here / "in.csv").write_text("sku,warehouse,on_hand\nMUG,BERLIN,5\n")
    return here


def names(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_in_the_wrong_folder_names_the_missing_database_and_creates_nothing(
    run: Run, folder: Path, command: str
) -> None:
    result = run(*command.split(), env={})

    assert (result.exit_code, result.stdout, result.stderr) == (
        1,
        "",
        f"There is no database {folder}/gqlstock.db: "
        "set GQLSTOCK_DATABASE_URL to its path, or run gqlstock migrate to create it.\n",
    )
    assert names(folder) == ["in.csv"]


@pytest.mark.parametrize("command", COMMANDS)
def test_an_empty_file_is_refused_and_stays_empty(run: Run, folder: Path, command: str) -> None:
    (folder / "gqlstock.db").touch()

    result = run(*command.split(), env={})

    told = (
        f"{folder}/gqlstock.db is not a gqlstock database: set GQLSTOCK_DATABASE_URL to one.\n"
        if command.startswith("backup")
        else NOT_UP_TO_DATE
    )
    assert (result.exit_code, result.stdout, result.stderr) == (1, "", told)
    assert names(folder) == ["gqlstock.db", "in.csv"]
    assert (folder / "gqlstock.db").stat().st_size == 0


@pytest.mark.parametrize("command", COMMANDS)
def test_a_directory_in_place_of_the_database_is_named(run: Run, folder: Path, command: str) -> None:
    (folder / "gqlstock.db").mkdir()

    result = run(*command.split(), env={})

    assert (result.exit_code, result.stdout, result.stderr) == (
        1,
        "",
        f"{folder}/gqlstock.db is a directory: set GQLSTOCK_DATABASE_URL to a file.\n",
    )
    assert names(folder) == ["gqlstock.db", "in.csv"]


def test_migrate_takes_an_empty_file(run: Run, old_env: dict[str, str], tmp_path: Path) -> None:
    result = run("migrate", env=old_env)

    assert (result.exit_code, result.stdout, result.stderr) == (
        0,
        f"The database {tmp_path}/fresh.db is up to date.\n",
        "",
    )


def test_a_database_of_another_program_is_not_copied(run: Run, tmp_path: Path) -> None:
    with contextlib.closing(sqlite3.connect(tmp_path / "other.db")) as other:
        other.execute("CREATE TABLE note (text TEXT)")

    result = run("backup", tmp_path / "copy.db", env={"GQLSTOCK_DATABASE_URL": f"sqlite:///{tmp_path}/other.db"})

    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == f"{tmp_path}/other.db is not a gqlstock database: set GQLSTOCK_DATABASE_URL to one.\n"
    assert not (tmp_path / "copy.db").exists()


@pytest.mark.parametrize("command", ["serve", "migrate", "verify"])
def test_a_database_that_does_not_answer_is_named_without_its_password(run: Run, command: str) -> None:
    result = run(command, env={"GQLSTOCK_DATABASE_URL": "postgres://shop:secret@127.0.0.1:1/stock"})

    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("The database stock at 127.0.0.1:1 cannot be reached: ")
    assert result.stderr.count("\n") == 1
    assert "secret" not in result.stderr


def test_of_a_database_on_several_hosts_that_is_away_all_are_named(run: Run) -> None:
    result = run("verify", env={"GQLSTOCK_DATABASE_URL": "postgres://shop:secret@127.0.0.1:1,127.0.0.1:2/stock"})

    assert result.exit_code == 1
    assert result.stderr.startswith("The database stock at 127.0.0.1:1 or 127.0.0.1:2 cannot be reached: ")
    assert "secret" not in result.output


def test_a_file_that_is_no_database_is_told(run: Run, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("Not a database. " * 100)

    result = run("verify", env={"GQLSTOCK_DATABASE_URL": f"sqlite:///{tmp_path}/notes.txt"})

    assert (result.exit_code, result.stderr) == (
        1,
        f"The database {tmp_path}/notes.txt cannot be reached: file is not a database\n",
    )


def test_a_wrong_configuration_is_told_with_its_name(run: Run) -> None:
    result = run("migrate", env={"GQLSTOCK_PUBLIC_ORDERS": "perhaps"})

    assert (result.exit_code, result.stderr) == (1, "GQLSTOCK_PUBLIC_ORDERS is 'perhaps': write true or false.\n")


def test_a_refusal_is_told_line_by_line(run: Run, fill: Fill, tmp_path: Path) -> None:
    fill(make.shop)
    (tmp_path / "in.csv").write_text("sku,warehouse,on_hand\nMUG,BERLIN,5\nCUP,PARIS,x\n")

    result = run("import", "levels", tmp_path / "in.csv")

    assert (result.exit_code, result.stdout, result.stderr) == (1, "", "Line 3: on_hand 'x' is not a quantity.\n")


def test_an_unknown_scope_is_told_with_those_there_are(run: Run) -> None:
    result = run("token", "create", "till", "--scope", "everything")

    assert result.exit_code == 1
    assert result.stderr.startswith("There is no scope everything. Valid scopes: catalog:read, ")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ("token create till --scope admin --warehouse PARIS", "There is no warehouse PARIS."),
        (
            "token create till --scope admin --expires 2020-01-31",
            "2020-01-31 is in the past; a token must expire in the future",
        ),
        (
            "token create till --scope admin --expires soon",
            "soon is not a valid expiry; write 12h, 90d or 8w",
        ),
        ("token revoke till", "There is no token till."),
    ],
)
def test_what_is_wrong_with_a_token_is_told(run: Run, arguments: str, told: str) -> None:
    result = run(*arguments.split())

    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith(told)
    assert len(result.stderr.splitlines()) == 1


def test_a_missing_file_is_named(run: Run, tmp_path: Path) -> None:
    result = run("import", "levels", tmp_path / "none.csv")

    assert (result.exit_code, result.stderr) == (1, f"{tmp_path}/none.csv: No such file or directory\n")


def test_a_file_of_windows_is_read_as_it_is_meant(run: Run, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_bytes("sku,warehouse,on_hand\nCAFÉ,BERLIN,1\n".encode("cp1252"))

    result = run("import", "levels", tmp_path / "in.csv")

    assert (result.exit_code, result.stderr.splitlines()[-1]) == (1, "Line 2: There is no item CAFÉ.")


def test_a_target_that_cannot_be_written_is_named(run: Run, tmp_path: Path) -> None:
    result = run("export", "levels", tmp_path / "no" / "out.csv")

    assert (result.exit_code, result.stderr) == (1, f"{tmp_path}/no/out.csv: No such file or directory\n")


@pytest.mark.parametrize("arguments", ["import levels", "token create", "serve --workers 0", "sell"])
def test_wrong_usage_is_exit_code_2(run: Run, arguments: str) -> None:
    result = run(*arguments.split())

    assert result.exit_code == 2
    assert "Traceback" not in result.stderr


def started(env: dict[str, str], *arguments: str) -> tuple[int, str]:
    """How it ends that uvicorn is told to serve the application in that environment."""
    command = [sys.executable, "-m", "uvicorn", "--factory", "gqlstock.app:from_env", "--port", "0", *arguments]
    done = subprocess.run(command, env={**os.environ, **env}, capture_output=True, text=True, timeout=PATIENCE)
    return done.returncode, done.stderr


def lines(stderr: str) -> list[str]:
    """What is not said by uvicorn itself."""
    return [line for line in stderr.splitlines() if not line.startswith("INFO: ")]


def test_uvicorn_by_itself_refuses_a_wrong_setting_with_one_line(fresh_env: dict[str, str]) -> None:
    code, stderr = started({**fresh_env, "GQLSTOCK_LOG_FORMAT": "xml"})

    assert (code, lines(stderr)) == (1, ["GQLSTOCK_LOG_FORMAT is 'xml': write text or json."])


def test_uvicorn_by_itself_refuses_an_old_schema_with_one_line(old_env: dict[str, str]) -> None:
    code, stderr = started(old_env)

    assert (code, lines(stderr)) == (1, [NOT_UP_TO_DATE.strip()])


def test_uvicorn_by_itself_refuses_a_database_that_does_not_answer_with_one_line() -> None:
    code, stderr = started({"GQLSTOCK_DATABASE_URL": "postgres://shop:secret@127.0.0.1:1/stock"})

    (line,) = lines(stderr)
    assert code == 1
    assert line.startswith("The database stock at 127.0.0.1:1 cannot be reached: ")


def test_workers_that_are_refused_are_not_started_again_and_again(old_env: dict[str, str]) -> None:
    _, stderr = started(old_env, "--workers", "2")

    assert "Traceback" not in stderr
    assert 1 <= stderr.count(NOT_UP_TO_DATE) <= 2
    assert "failed to start, stopping the parent process." in stderr


@pytest.mark.parametrize("command", ["serve", "serve --workers 2", "verify", "migrate"])
def test_a_database_of_a_later_version_is_refused(run: Run, fill: Fill, command: str) -> None:
    async def from_later() -> None:
        await sql.execute(
            "INSERT INTO tortoise_migrations (app, name, applied_at) VALUES ('gqlstock', '9999_later', ?)",
            clock.now(),
        )

    async def as_it_was() -> None:
        await sql.execute("DELETE FROM tortoise_migrations WHERE name = '9999_later'")

    fill(from_later)
    try:
        result = run(*command.split())
    finally:
        fill(as_it_was)

    assert (result.exit_code, result.stdout, result.stderr) == (
        1,
        "",
        "The database is newer than this version of gqlstock, which does not know 9999_later: "
        "run the version that migrated it, or a later one.\n",
    )
