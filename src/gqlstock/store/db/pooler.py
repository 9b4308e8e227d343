"""Says what a pooler between this process and PostgreSQL lacks.

In transaction mode, PgBouncer gives each transaction any of its connections to the database, so no statement outside of a
transaction may depend on an earlier one.
"""

import re

_ADVICE = (
    (
        "unsupported startup parameter",
        "In pgbouncer.ini, set ignore_startup_parameters = jit, default_transaction_read_only, lock_timeout, "
        "idle_in_transaction_session_timeout.",
    ),
    (
        'prepared statement ".*" (already exists|does not exist)',
        "The pooler does not keep prepared statements: add ?statement_cache_size=0 to GQLSTOCK_DATABASE_URL.",
    ),
)


def advice(message: str) -> str:
    """What to do about an error of the database if a pooler is the reason; else empty."""
    return next((advised for pattern, advised in _ADVICE if re.search(pattern, message)), "")
