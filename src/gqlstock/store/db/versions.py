"""Which migrations a database has had, and bringing it up to date. How one is opened is said elsewhere."""

import logging

from tortoise import Tortoise
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.migrations.autodetector import MigrationAutodetector
from tortoise.migrations.executor import MigrationExecutor
from tortoise.migrations.graph import MigrationKey
from tortoise.migrations.migration import Migration
from tortoise.migrations.schema_generator.state import State

from gqlstock.store.db import sql, transactions
from gqlstock.store.db.connection import (
    APP,
    DatabaseUrl,
    SqliteFile,
    connection,
    is_postgres,
    opened,
    reading,
    settings,
)

log = logging.getLogger(__name__)

# Any number that no other program locks in this database.
_ADVISORY_LOCK = 0x6771_6C73_746F_636B

# A relation, or a column of one, that each migration made in its one transaction. The record of these migrations was once
# a transaction of its own: a process that was killed in between left a schema without its record.
_MADE_BY = {
    "0001_initial": "inventory_level.backordered",
    "0002_outbox_horizon": "outbox_horizon.entry_id",
    "0003_delivery": "webhook_delivery.endpoint_id",
    "0004_token_warehouses": "api_token.warehouses",
    "0005_growth": "shipment_open",
}


async def migrate(url: DatabaseUrl) -> None:
    """Bring the schema up to date, once, whoever else does the same. Needs no open database."""
    async with opened(url, create=True):
        for attempt in range(1, transactions.ATTEMPTS + 1):
            try:
                while await _apply_pending():
                    pass
                return
            except Exception as error:
                if attempt == transactions.ATTEMPTS or not transactions.is_passing(error):
                    raise
                log.info("migrations tried again (%s of %s): %s", attempt, transactions.ATTEMPTS, error)


async def _apply_pending() -> bool:
    """Apply the pending migrations, each in a transaction with its record. Whether there were any."""
    executor = _executor(connection())
    await transactions.run(_make_records)
    steps = await executor.plan()
    if steps:
        # What the tables are like is worked out once: that takes longer than most migrations.
        state = await executor._project_state(set(await executor.recorder.applied_migrations()))
        for step in steps:
            if not await transactions.run(lambda step=step: _apply(step.migration, state), attempts=1):  # type: ignore[misc]
                break
    return bool(steps)


async def _make_records() -> None:
    await _lock()
    executor = _executor(connection())
    await executor.recorder.ensure_schema(executor._schema_editor(atomic=False))


async def _apply(migration: Migration, state: State) -> bool:
    """Apply a migration and record it, with the running transaction. False where another process has done so."""
    await _lock()
    executor = _executor(connection())
    if MigrationKey(app_label=APP, name=migration.name) in await executor.recorder.applied_migrations():
        return False
    is_there = await _is_there(migration)
    if is_there:
        log.warning("migration %s was applied, but not recorded: it is recorded now", migration.name)
    editor = None if is_there else executor._schema_editor(atomic=False)
    await migration.apply(state, dry_run=is_there, schema_editor=editor)
    await executor.recorder.record_applied(APP, migration.name)
    return True


async def _lock() -> None:
    """Have the migrations to this transaction. SQLite's have the write lock from their start."""
    if is_postgres():
        await sql.execute("SELECT pg_advisory_xact_lock(?::bigint)", _ADVISORY_LOCK)


async def _is_there(migration: Migration) -> bool:
    """Whether the database has what a migration makes."""
    made = _MADE_BY.get(migration.name)
    return made is not None and bool(await sql.query(_POSTGRES if is_postgres() else _SQLITE, made))


_POSTGRES = """SELECT 1 FROM pg_class c LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND NOT a.attisdropped
    WHERE c.relnamespace = current_schema()::regnamespace AND ?::text IN (c.relname, c.relname || '.' || a.attname)"""
_SQLITE = """SELECT 1 FROM sqlite_master m LEFT JOIN pragma_table_info(m.name) c ON TRUE
    WHERE ? IN (m.name, m.name || '.' || c.name)"""


async def applied() -> set[str]:
    """The names of the migrations that the open database has had."""
    return {key.name for key in await _executor(reading()).recorder.applied_migrations() if key.app_label == APP}


async def pending() -> list[str]:
    """The names of the migrations that the open database has not had yet."""
    return [step.migration.name for step in await _executor(reading()).plan()]


async def unknown() -> list[str]:
    """The names of the migrations that the open database has had and this code does not know."""
    executor = _executor(reading())
    await executor.loader.build_graph()
    return sorted(await applied() - {key.name for key in executor.loader.graph.nodes if key.app_label == APP})


def _executor(db: BaseDBAsyncClient) -> MigrationExecutor:
    return MigrationExecutor(db, {APP: settings(SqliteFile(""))["apps"][APP]})


async def missing() -> list[str]:
    """What the tables in the code have that no migration makes."""
    apps = Tortoise.apps
    assert apps is not None
    writers = await MigrationAutodetector(apps, {APP: settings(SqliteFile(""))["apps"][APP]}).changes()
    return [operation.describe() for writer in writers for operation in writer.operations]
