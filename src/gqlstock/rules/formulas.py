"""Guards cells of a CSV file against spreadsheet formulas, and reads guarded cells back."""

import re

# Includes leading apostrophes: a text that looks guarded is guarded again, so that ``unguard`` restores it.
_FORMULA = re.compile(r"'*[=+\-@\t\r\n]")


def guard(text: str) -> str:
    """A text for a cell, with an apostrophe in front where a spreadsheet would run it as a formula.

    Only for texts. Numbers such as -5 are written unguarded.
    """
    return f"'{text}" if _FORMULA.match(text) else text


def unguard(cell: str) -> str:
    """The text that ``guard`` wrote."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell
