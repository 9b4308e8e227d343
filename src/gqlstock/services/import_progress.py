"""The steps of an import, as its progress names them."""

from collections.abc import Callable

Progress = Callable[[str, int, int | None], None]
"""Called with the current step, how much of it is done, and the total where it is known."""

READ = "Read"
CHECKED = "Checked"
BEFORE_WRITING = (READ, CHECKED)
"""The steps in which nothing is written yet."""
COUNTED = "Counted"
TAKEN_IN = "Taken in"


def silent(what: str, done: int, of: int | None) -> None:
    """Ignore progress."""
