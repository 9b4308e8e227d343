"""How long an address has to wait that came too often. Counted in windows: what came in the last one fades while the next
goes on, so that nobody gets twice as much at the turn of a minute."""

from gqlstock.rules.limits import Rate


def window(rate: Rate, now: float) -> int:
    return int(now // rate.seconds)


def wait(rate: Rate, now: float, before: int, current: int) -> float | None:
    """Seconds until one more would be taken; None: this one is. ``current`` counts it already, ``before`` is the last
    window's count."""
    gone = now % rate.seconds
    if before * (1 - gone / rate.seconds) + current <= rate.most:
        return None
    if current <= rate.most:
        return max(rate.seconds * (1 - (rate.most - current) / before) - gone, 1.0)
    return rate.seconds - gone + rate.seconds * (1 - rate.most / current)
