"""gqlstock with a clock that can be set. The file CHAOS_CLOCK has the number of seconds by which the clock is ahead."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from starlette.types import ASGIApp

from gqlstock import app
from gqlstock.store.db import clock

_file = Path(os.environ["CHAOS_CLOCK"])


def _now() -> datetime:
    return datetime.now(UTC) + timedelta(seconds=float(_file.read_text() or 0))


def from_env() -> ASGIApp:
    clock._machine = _now
    clock._clock = clock.Clock(_now)
    return app.from_env()
