"""The steps of an import, as its progress reports them."""

from collections.abc import Callable

Progress = Callable[[str, int, int | None], None]
"""Called with the current step, the number done and the total; None if the total is unknown."""

READ = "Read"
CHECKED = "Checked"
BEFORE_WRITING = (READ, CHECKED)
"""The steps before the first write."""
COUNTED = "Counted"
TAKEN_IN = "Imported"


def silent(what: str, done: int, of: int | None) -> None:
    """Ignore progress."""
