"""Figures as tables of Markdown, which are plain enough to be read as they are."""

import statistics
from collections.abc import Iterable, Sequence

from questions import CLIENTS
from turns import Row

Pair = tuple[float, float]


def of_rows(title: str, rows: Sequence[Row]) -> str:
    heads = ["ours /s", "by hand /s", "ours / by hand", "ours CPU ms", "by CPU", "alone: ours ms", "by hand ms"]
    return _table(title, [f"{CLIENTS} clients", *heads], (_cells(row) for row in rows))


def _cells(row: Row) -> list[str]:
    loaded = ["–"] * 3
    if row.ours.loaded:
        pairs = list(zip(row.ours.per_second, row.by_hand.per_second, strict=True))
        ours, by_hand = (statistics.median(rates) for rates in zip(*pairs, strict=True))
        ratio = statistics.median(ours / by_hand for ours, by_hand in pairs)
        loaded = [f"{ours:,.0f}", f"{by_hand:,.0f}", f"{ratio:.2f}"]
    busy = row.ours.busy_ms
    each = (busy, row.by_hand.busy_ms / busy, row.ours.milliseconds, row.by_hand.milliseconds)
    return [row.question.name, *loaded, *(f"{figure:.2f}" for figure in each)]


def of_pairs(title: str, pairs: Iterable[tuple[str, Pair]]) -> str:
    """What is better the smaller it is: the ratio says how many times more ours takes."""
    rows = ([name, f"{ours:,.2f}", f"{by_hand:,.2f}", f"{ours / by_hand:.1f}"] for name, (ours, by_hand) in pairs)
    return _table(title, ["", "ours", "by hand", "ours / by hand"], rows)


def _table(title: str, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---", *["---:"] * (len(heads) - 1)], *rows]
    return "\n".join([f"### {title}", "", *(f"| {' | '.join(line)} |" for line in lines), ""])
