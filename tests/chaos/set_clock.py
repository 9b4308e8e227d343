"""gqlstock with a clock that is ahead by the seconds that the file CHAOS_CLOCK says, as if this machine's clock were set."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from starlette.types import ASGIApp

from gqlstock import app
from gqlstock.store.db import clock

_file = Path(os.environ["CHAOS_CLOCK"])


def _set() -> datetime:
    return datetime.now(UTC) + timedelta(seconds=float(_file.read_text() or 0))


def from_env() -> ASGIApp:
    clock._machine = _set
    clock._clock = clock.Clock(_set)
    return app.from_env()
