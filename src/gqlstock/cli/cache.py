"""``gqlstock cache``: the servers' in-memory caches."""

from gqlstock.cli import session
from gqlstock.cli.group import commands
from gqlstock.services import clear_cache

app = commands("Manage the servers' in-memory caches.")


@app.callback()
def cache() -> None:
    """Manage the servers' in-memory caches."""


@app.command("clear")
def clear() -> None:
    """Clear the caches of all servers. Run it after changing the database by hand."""
    session.run(clear_cache.clear)
    session.say("Cleared the caches of all servers.")
