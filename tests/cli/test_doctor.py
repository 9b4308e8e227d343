"""What ``gqlstock doctor`` prints about databases in any state, and that it writes nothing."""

import contextlib
import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import Result

from gqlstock.rules import webhooks as rules
from gqlstock.rules.events import Event, Topic
from gqlstock.rules.webhooks import WebhookTopic
from gqlstock.services import webhooks
from gqlstock.store import outbox
from gqlstock.store import webhooks as webhook_store
from gqlstock.store.db import clock, sql, transactions
from gqlstock.store.db.connection import DatabaseUrl, Postgres, SqliteFile
from support.command_line import Fill, Run
from support.damage import damage
from support.worker_databases import REDIS

IN_MEMORY = "which is in memory"


def found(result: Result) -> list[str]:
    """The findings, without those that are about the machine that runs the tests."""
    *lines, last = result.stdout.splitlines() or [""]
    told = lines if last == "No problems found." else [*lines, last]
    problems = sum(line.startswith("problem: ") for line in told)
    assert result.exit_code == (1 if problems else 0), result.output
    assert result.stderr == (f"{problems} problem{'s' * (problems != 1)}.\n" if problems else "")
    return [line for line in told if IN_MEMORY not in line]


@pytest.fixture
def file_env(sqlite_file: SqliteFile) -> dict[str, str]:
    Path(sqlite_file.path).chmod(0o600)
    return {"GQLSTOCK_DATABASE_URL": f"sqlite:///{sqlite_file.path}", "GQLSTOCK_REDIS_URL": ""}


def test_nothing_is_wrong_with_a_migrated_file_which_stays_as_it_is(
    run: Run, sqlite_file: SqliteFile, file_env: dict[str, str]
) -> None:
    file = Path(sqlite_file.path)
    before = file.read_bytes(), sorted(file.parent.iterdir())

    assert found(run("doctor", "--integrity", env=file_env)) == []
    assert (file.read_bytes(), sorted(file.parent.iterdir())) == before


def test_a_missing_file_is_named_and_not_created(run: Run, fresh_env: dict[str, str], tmp_path: Path) -> None:
    assert found(run("doctor", env=fresh_env)) == [
        f"problem: There is no database {tmp_path}/fresh.db: set GQLSTOCK_DATABASE_URL to its path, or run gqlstock migrate "
        "to create it."
    ]
    assert not (tmp_path / "fresh.db").exists()


def test_a_database_without_tables_is_told_and_stays_empty(run: Run, old_env: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "fresh.db").chmod(0o600)

    assert found(run("doctor", env=old_env)) == ["problem: The database is not up to date: run gqlstock migrate."]
    assert (tmp_path / "fresh.db").read_bytes() == b""


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        (
            "DELETE FROM tortoise_migrations WHERE name >= '0020'",
            "problem: The database is not up to date: run gqlstock migrate.",
        ),
        (
            "INSERT INTO tortoise_migrations (app, name, applied_at) VALUES ('gqlstock', '9999_later', '2026-11-27')",
            "problem: The database is newer than this version of gqlstock, which does not know 9999_later: run the version "
            "that migrated it, or a later one.",
        ),
    ],
)
def test_another_version_of_the_tables_is_told(
    run: Run, sqlite_file: SqliteFile, file_env: dict[str, str], statement: str, expected: str
) -> None:
    with contextlib.closing(sqlite3.connect(sqlite_file.path)) as raw:
        raw.execute(statement)
        raw.commit()

    assert found(run("doctor", env=file_env)) == [expected]


def test_another_file_is_told(run: Run, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("Not a database. " * 100)

    told = found(run("doctor", env={"GQLSTOCK_DATABASE_URL": f"sqlite:///{tmp_path}/notes.txt"}))

    assert told == [f"problem: The database {tmp_path}/notes.txt cannot be reached: file is not a database"]


@pytest.mark.parametrize("table", ["outbox", "tortoise_migrations", "organization"])
def test_a_damaged_file_is_told(run: Run, sqlite_file: SqliteFile, file_env: dict[str, str], table: str) -> None:
    damage(sqlite_file, table)

    told = found(run("doctor", "--integrity", env=file_env))

    assert any(line.startswith(f"problem: {sqlite_file.path} is damaged: ") for line in told), told


def test_a_damaged_file_is_told_without_the_option_where_it_is_read(
    run: Run, sqlite_file: SqliteFile, file_env: dict[str, str]
) -> None:
    damage(sqlite_file, "dispatch")

    assert found(run("doctor", env=file_env)) == [
        f"problem: The database {sqlite_file.path} cannot be read: database disk image is malformed. "
        "If this happens again, it may be damaged: restore a backup (docs/backup.md)."
    ]


def test_unknown_variables_are_problems_and_are_told_once(run: Run, file_env: dict[str, str]) -> None:
    assert found(run("doctor", env={**file_env, "GQLSTOCK_REDIS": "here"})) == [
        "problem: GQLSTOCK_REDIS is unknown and has no effect. Did you mean GQLSTOCK_REDIS_URL?"
    ]


def test_a_wrong_value_is_refused_as_by_every_command(run: Run) -> None:
    result = run("doctor", env={"GQLSTOCK_CACHE_MB": "much"})

    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "GQLSTOCK_CACHE_MB is 'much': write a whole number of megabytes, 0 to 65536.\n"


def test_several_processes_without_redis_are_noted(run: Run, file_env: dict[str, str]) -> None:
    (told,) = found(run("doctor", "--workers", "2", env=file_env))

    assert told.startswith("note: GQLSTOCK_REDIS_URL is not set: ")


def test_a_redis_that_does_not_answer_is_told_without_its_password(run: Run, file_env: dict[str, str]) -> None:
    (told,) = found(run("doctor", env={**file_env, "GQLSTOCK_REDIS_URL": "redis://shop:secret@127.0.0.1:1/0"}))

    assert told.startswith("problem: Redis at 127.0.0.1:1 does not answer: ")
    assert "secret" not in told


@pytest.mark.skipif(REDIS is None, reason="needs GQLSTOCK_TEST_REDIS_URL")
def test_nothing_is_found_about_a_redis_that_answers(run: Run, file_env: dict[str, str]) -> None:
    assert found(run("doctor", env={**file_env, "GQLSTOCK_REDIS_URL": str(REDIS)})) == []


def test_a_server_that_does_not_answer_is_told_without_its_password(run: Run) -> None:
    (told,) = found(run("doctor", env={"GQLSTOCK_DATABASE_URL": "postgres://shop:secret@127.0.0.1:1/stock"}))

    assert told.startswith("problem: The database stock at 127.0.0.1:1 cannot be reached: ")
    assert told.endswith(". Check that it runs and that GQLSTOCK_DATABASE_URL is right.")
    assert "secret" not in told


async def _endpoint() -> None:
    await webhooks.create("https://shop.example/hook", [WebhookTopic.ORDER_PLACED], private_addresses=False)
    await sql.execute("DELETE FROM outbox")
    await transactions.run(lambda: outbox.add([Event(Topic.ORDER, 1)]))


def test_changes_that_wait_for_a_server_are_a_problem(run: Run, fill: Fill) -> None:
    async def age() -> None:
        await _endpoint()
        await sql.execute("UPDATE outbox SET created_at = ?", clock.now() - timedelta(minutes=10, seconds=1))

    fill(age)

    assert (
        "problem: Changes wait to become webhooks and mails: 1, the oldest for 10 minutes. Check that a server runs, and its "
        "log."
    ) in found(run("doctor"))


def test_changes_from_the_future_are_a_problem(run: Run, fill: Fill) -> None:
    async def age() -> None:
        await _endpoint()
        await sql.execute("UPDATE outbox SET created_at = ?", clock.now() + timedelta(minutes=10, seconds=50))

    fill(age)

    assert (
        "problem: The latest change is dated 10 minutes from now, so the clock of the database was set back. Check that it "
        "is right now, for example with NTP."
    ) in found(run("doctor"))


def test_webhooks_that_fail_for_long_are_a_problem(run: Run, fill: Fill) -> None:
    async def queue() -> None:
        endpoint, _ = await webhooks.create(
            "https://shop.example/hook", [WebhookTopic.ORDER_PLACED], private_addresses=False
        )
        old, young = (
            rules.new_delivery(
                endpoint, f"{ago}", f"{ago}", WebhookTopic.ORDER_PLACED, "{}", clock.now() - timedelta(hours=ago)
            )
            for ago in (3, 0)
        )
        await transactions.run(lambda: webhook_store.queue.add([old, young]))

    fill(queue)

    assert (
        "problem: Pending deliveries: 2 webhooks, the oldest for 3 hours. webhookDeliveries(state: PENDING) says why."
    ) in found(run("doctor"))


@pytest.fixture
def postgres(database_url: DatabaseUrl) -> Postgres:
    if not isinstance(database_url, Postgres):
        pytest.skip("needs GQLSTOCK_TEST_DATABASE_URL")
    return database_url


def test_a_setting_of_the_database_is_told_with_what_resets_it(run: Run, postgres: Postgres) -> None:
    name = postgres.credentials["database"]

    told = found(run("doctor", "--workers", "1000"))

    assert told[0] == (
        "problem: synchronous_commit is off. If the server crashes, orders that it answered just before are lost. "
        f'Run ALTER DATABASE "{name}" SET synchronous_commit = on; and restart gqlstock.'
    )
    assert told[1].startswith("problem: 1,000 processes of gqlstock can open 17,000 connections, and max_connections (")


def test_a_database_without_tables_on_postgresql_is_told(
    run: Run, postgres: Postgres, database_env: dict[str, str]
) -> None:
    # This one is there on every server, and has no tables.
    url = f"{database_env['GQLSTOCK_DATABASE_URL'].rpartition('/')[0]}/postgres"

    told = found(run("doctor", env={"GQLSTOCK_DATABASE_URL": url}))

    assert "problem: The database is not up to date: run gqlstock migrate." in told


def test_a_host_that_cannot_take_over_is_told(run: Run, postgres: Postgres, database_env: dict[str, str]) -> None:
    (host, port), name = postgres.hosts[0], postgres.credentials["database"]
    url = database_env["GQLSTOCK_DATABASE_URL"].replace(f"{host}:{port}", f"{host}:{port},127.0.0.1:1")

    told = found(run("doctor", env={"GQLSTOCK_DATABASE_URL": url}))

    (silent,) = (line for line in told if "cannot take over" in line)
    assert silent.startswith(f"problem: The database {name} at 127.0.0.1:1 cannot be reached: ")
    assert silent.endswith(
        ". If the primary server fails, it cannot take over. Start it, or take it out of GQLSTOCK_DATABASE_URL."
    )
    assert told[0].startswith("problem: synchronous_commit is off. ")
