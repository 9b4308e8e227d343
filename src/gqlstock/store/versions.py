"""Which migrations a database has had, and bringing it up to date. How one is opened is said elsewhere."""

import asyncio

from tortoise import Tortoise
from tortoise.migrations.api.migrate import migrate as run_migrations
from tortoise.migrations.autodetector import MigrationAutodetector
from tortoise.migrations.executor import MigrationExecutor

from gqlstock.store.database import APP, DatabaseUrl, SqliteFile, connection, settings


async def migrate(url: DatabaseUrl) -> None:
    """Bring the schema up to date. Needs no open database."""

    async def work() -> None:
        try:
            await run_migrations(config=settings(url))
        finally:
            await Tortoise.close_connections()

    # In a task of its own: Tortoise leaves its closed context behind as the current one.
    await asyncio.create_task(work())


async def pending() -> list[str]:
    """The names of the migrations that the open database has not had yet."""
    executor = MigrationExecutor(connection(), {APP: settings(SqliteFile(""))["apps"][APP]})
    return [step.migration.name for step in await executor.plan()]


async def unknown() -> list[str]:
    """The names of the migrations that the open database has had and this code does not know."""
    executor = MigrationExecutor(connection(), {APP: settings(SqliteFile(""))["apps"][APP]})
    await executor.loader.build_graph()
    applied = await executor.recorder.applied_migrations()
    return sorted(key.name for key in applied if key.app_label == APP and key not in executor.loader.graph.nodes)


async def missing() -> list[str]:
    """What the tables in the code have that no migration makes."""
    apps = Tortoise.apps
    assert apps is not None
    writers = await MigrationAutodetector(apps, {APP: settings(SqliteFile(""))["apps"][APP]}).changes()
    return [operation.describe() for writer in writers for operation in writer.operations]
