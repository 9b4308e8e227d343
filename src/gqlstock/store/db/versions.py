"""Lists and applies the migrations of a database. ``connection`` opens the database."""

import logging
from functools import partial

from tortoise import Tortoise
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.migrations.autodetector import MigrationAutodetector
from tortoise.migrations.executor import MigrationExecutor
from tortoise.migrations.graph import MigrationKey
from tortoise.migrations.migration import Migration
from tortoise.migrations.schema_generator.state import State

from gqlstock.store import outbox
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

# An arbitrary number that no other program locks in this database.
_ADVISORY_LOCK = 0x6771_6C73_746F_636B

# A table or column that each of these migrations creates. Early releases recorded a migration in a second transaction, so
# a process that was killed in between left a migrated schema without the record.
_CREATED_BY = {
    "0001_initial": "inventory_level.backordered",
    "0002_outbox_horizon": "outbox_horizon.entry_id",
    "0003_delivery": "webhook_delivery.endpoint_id",
    "0004_token_warehouses": "api_token.warehouses",
    "0005_growth": "shipment_open",
}
# Servers of earlier versions do not cache reads.
_READS_CACHED_SINCE = "0013_dropped_keys"


async def migrate(url: DatabaseUrl) -> None:
    """Migrate the schema. Several processes may do so at once. Opens the database itself."""
    async with opened(url, create=True):
        for attempt in range(1, transactions.ATTEMPTS + 1):
            try:
                while await _apply_pending():
                    pass
                return
            except Exception as error:
                if attempt == transactions.ATTEMPTS or not transactions.is_temporary(error):
                    raise
                log.info("retrying migrations (attempt %s of %s failed): %s", attempt, transactions.ATTEMPTS, error)


async def _apply_pending() -> bool:
    """Apply the pending migrations, each in a transaction with its record. Returns whether there were any."""
    executor = _executor(connection())
    await transactions.run(_create_record_table)
    steps = await executor.plan()
    if steps:
        # Compute the state of the tables once: this takes longer than most migrations.
        state = await executor._project_state(set(await executor.recorder.applied_migrations()))
        drop_reads = all(step.migration.name != _READS_CACHED_SINCE for step in steps)
        for step in steps:
            apply = partial(_apply, step.migration, state, drop_reads=drop_reads)
            if not await transactions.run(apply, attempts=1):
                break
    return bool(steps)


async def _create_record_table() -> None:
    await _lock()
    executor = _executor(connection())
    await executor.recorder.ensure_schema(executor._schema_editor(atomic=False))


async def _apply(migration: Migration, state: State, *, drop_reads: bool) -> bool:
    """Apply and record a migration in the running transaction. Returns False if another process did so.

    ``drop_reads``: make servers drop the reads that they have cached.
    """
    await _lock()
    executor = _executor(connection())
    if MigrationKey(app_label=APP, name=migration.name) in await executor.recorder.applied_migrations():
        return False
    exists = await _exists(migration)
    if exists:
        log.warning("migration %s was applied but not recorded; recording it now", migration.name)
    editor = None if exists else executor._schema_editor(atomic=False)
    await migration.apply(state, dry_run=exists, schema_editor=editor)
    await executor.recorder.record_applied(APP, migration.name)
    if drop_reads:
        await outbox.reset()
    return True


async def _lock() -> None:
    """Lock out other migrations until the transaction ends. SQLite transactions hold the write lock from the start."""
    if is_postgres():
        await sql.execute("SELECT pg_advisory_xact_lock(?::bigint)", _ADVISORY_LOCK)


async def _exists(migration: Migration) -> bool:
    """Whether the table or column that a migration creates already exists."""
    created = _CREATED_BY.get(migration.name)
    return created is not None and bool(await sql.query(_POSTGRES if is_postgres() else _SQLITE, created))


_POSTGRES = """SELECT 1 FROM pg_class c LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND NOT a.attisdropped
    WHERE c.relnamespace = current_schema()::regnamespace AND ?::text IN (c.relname, c.relname || '.' || a.attname)"""
_SQLITE = """SELECT 1 FROM sqlite_master m LEFT JOIN pragma_table_info(m.name) c ON TRUE
    WHERE ? IN (m.name, m.name || '.' || c.name)"""


async def applied() -> set[str]:
    """The names of the migrations applied to the open database."""
    return {key.name for key in await _executor(reading()).recorder.applied_migrations() if key.app_label == APP}


async def pending() -> list[str]:
    """The names of the pending migrations of the open database."""
    return [step.migration.name for step in await _executor(reading()).plan()]


async def unknown() -> list[str]:
    """The names of the applied migrations that this version does not know."""
    executor = _executor(reading())
    await executor.loader.build_graph()
    return sorted(await applied() - {key.name for key in executor.loader.graph.nodes if key.app_label == APP})


def _executor(db: BaseDBAsyncClient) -> MigrationExecutor:
    return MigrationExecutor(db, {APP: settings(SqliteFile(""))["apps"][APP]})


async def missing() -> list[str]:
    """The differences between the models and the migrations."""
    apps = Tortoise.apps
    assert apps is not None
    writers = await MigrationAutodetector(apps, {APP: settings(SqliteFile(""))["apps"][APP]}).changes()
    return [operation.describe() for writer in writers for operation in writer.operations]
