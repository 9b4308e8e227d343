"""How long one waits who came too often."""

import pytest

from gqlstock.rules import rates
from gqlstock.rules.limits import Rate

RATE = Rate(10, 60)


@pytest.mark.parametrize(
    ("now", "before", "current", "wait"),
    [
        (600.0, 0, 1, None),
        (600.0, 0, 10, None),
        # The window starts again in 60 seconds, and its 11 fade to 10 in the next.
        (600.0, 0, 11, 60 + 60 * (1 - 10 / 11)),
        (630.0, 0, 20, 30 + 30),
        # Half of the last window counts still.
        (630.0, 10, 5, None),
        (630.0, 10, 6, 60 * (1 - 4 / 10) - 30),
        (659.9, 10, 10, 1.0),
    ],
)
def test_what_came_in_the_last_window_fades(now: float, before: int, current: int, wait: float | None) -> None:
    assert rates.wait(RATE, now, before, current) == pytest.approx(wait)


def test_windows_follow_each_other() -> None:
    assert [rates.window(RATE, now) for now in (599.9, 600.0, 659.9, 660.0)] == [9, 10, 10, 11]
