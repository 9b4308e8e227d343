"""Cells of a CSV file that a spreadsheet would run: how they are written so that it does not, and read back."""

import re

# Apostrophes in front belong to the pattern: a text that looks guarded is guarded once more, so that reading finds it.
_RUN = re.compile(r"'*[=+\-@\t\r\n]")


def guard(text: str) -> str:
    """A text as it may stand in a cell: behind an apostrophe where a spreadsheet would take it for a formula.

    For texts alone: a number such as -5 is written as it is.
    """
    return f"'{text}" if _RUN.match(text) else text


def unguard(cell: str) -> str:
    """The text that ``guard`` wrote."""
    return cell[1:] if cell.startswith("'") and _RUN.match(cell) else cell
