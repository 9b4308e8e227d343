"""Formats figures as Markdown tables that are readable as plain text."""

import statistics
from collections.abc import Iterable, Sequence

from hot_and_cold import Row as ReadRow
from memory import MOST_AT_REST, Memory
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


def of_reads(title: str, rows: Sequence[ReadRow]) -> str:
    heads = ["asked", "ours /s", "by hand /s", "ours / by hand", "goal", "by CPU", "ours CPU ms", "hit rate"]
    return _table(title, [f"{CLIENTS} clients", *heads], (_read_cells(row) for row in rows))


def _read_cells(row: ReadRow) -> list[str]:
    ours, by_hand = (statistics.median(way.per_second) for way in (row.ours, row.by_hand))
    busy = row.ours.busy_ms
    return [
        row.read.question.name,
        row.temperature,
        f"{ours:,.0f}",
        f"{by_hand:,.0f}",
        f"{row.ratio:.2f}",
        f"≥ {row.goal:g}, {'met' if row.ratio >= row.goal else 'MISSED'}",
        f"{row.by_hand.busy_ms / busy:.2f}",
        f"{busy:.2f}",
        f"{statistics.median(row.hit_rates):.1%}" if row.hit_rates else "–",
    ]


def of_pairs(title: str, pairs: Iterable[tuple[str, Pair]]) -> str:
    """A table of figures where less is better. The ratio says how many times more gqlstock takes."""
    rows = ([name, f"{ours:,.2f}", f"{by_hand:,.2f}", f"{ours / by_hand:.1f}"] for name, (ours, by_hand) in pairs)
    return _table(title, ["", "ours", "by hand", "ours / by hand"], rows)


def of_memory(title: str, memory: Memory) -> str:
    return _table(
        title,
        ["", "ours", "goal"],
        [
            ["at rest", f"{memory.at_rest:.0f}", _at_most(memory.at_rest, MOST_AT_REST)],
            [
                f"after {memory.requests:,} different requests",
                f"{memory.after:.0f}",
                _at_most(memory.after, memory.allowed),
            ],
            ["GQLSTOCK_CACHE_MB", f"{memory.cache_limit:,}", ""],
            ["gqlstock_cache_bytes", "–" if memory.cache is None else f"{memory.cache:.0f}", ""],
        ],
    )


def _at_most(figure: float, goal: float) -> str:
    return f"≤ {goal:.0f}, {'met' if figure <= goal else 'MISSED'}"


def _table(title: str, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---", *["---:"] * (len(heads) - 1)], *rows]
    return "\n".join([f"### {title}", "", *(f"| {' | '.join(line)} |" for line in lines), ""])
