"""The connections of reads."""

from gqlstock.store.db import connection


def in_use() -> int:
    """The number of connections that are neither idle nor closed."""
    client = connection.reader()
    if connection.is_postgres():
        pool = client._pool
        return int(pool.get_size() - pool.get_idle_size()) if pool is not None else 0
    return int(client._reads.in_use)
