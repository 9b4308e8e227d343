"""Whether what the server stands on answers."""

from gqlstock.store import database


async def database_answers() -> None:
    """Raises when the database does not answer."""
    await database.query("SELECT 1 AS one")
