"""Gives each worker of a parallel run its own PostgreSQL and Redis databases, next to those that the environment names.

Import this module before anything reads GQLSTOCK_TEST_DATABASE_URL or GQLSTOCK_TEST_REDIS_URL.
"""

import os

_DATABASE = "GQLSTOCK_TEST_DATABASE_URL"
_REDIS = "GQLSTOCK_TEST_REDIS_URL"
_REDIS_DATABASES = 16
_worker = os.environ.get("PYTEST_XDIST_WORKER", "")
"""gw0, gw1, …; empty without workers."""


def _database_of_worker(url: str) -> str:
    address, question_mark, options = url.partition("?")
    return f"{address}_{_worker}{question_mark}{options}"


def _redis_of_worker(url: str) -> str:
    """Counts down, because the last databases are the least likely to be in use."""
    address, _, number = url.rpartition("/")
    return f"{address}/{(int(number) - int(_worker.removeprefix('gw'))) % _REDIS_DATABASES}"


if _worker and os.environ.get(_DATABASE):
    os.environ[_DATABASE] = _database_of_worker(os.environ[_DATABASE])
if _worker and os.environ.get(_REDIS):
    os.environ[_REDIS] = _redis_of_worker(os.environ[_REDIS])

POSTGRES = os.environ.get(_DATABASE)
REDIS = os.environ.get(_REDIS)
