"""Histories in files, to be checked again: ``python -m support.saved_history FILE --backtracks 1000000``."""

import argparse
import pickle
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from support.history import Call, Group, check
from support.stock_evidence import Evidence


def save(file: Path, calls: Sequence[Call], groups: Mapping[str, Group], evidence: Mapping[str, Evidence]) -> None:
    file.write_bytes(pickle.dumps((list(calls), dict(groups), dict(evidence))))


def main(arguments: Sequence[str] | None = None) -> int:
    """Check the groups of a file, and print what is wrong with each."""
    parser = argparse.ArgumentParser(prog="python -m support.saved_history", description=main.__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--backtracks", type=int, default=1_000_000, help="when to give up (default: 1,000,000)")
    parser.add_argument("--only", nargs="+", metavar="GROUP", help="these groups only")
    given = parser.parse_args(arguments)
    calls, groups, evidence = pickle.loads(given.file.read_bytes())
    chosen = {name: group for name, group in groups.items() if name in (given.only or groups)}
    verdicts = check(calls, chosen, evidence, given.backtracks)
    for one in verdicts:
        result = "\n    ".join(one.problems) or "OK"
        print(f"{one.group}: {one.calls} calls, {one.seconds:.1f} s: {result}")  # noqa: T201
    return int(any(one.problems for one in verdicts))


if __name__ == "__main__":
    sys.exit(main())
