"""Guards cells of a CSV file against spreadsheet formulas, and reads guarded cells back."""

import re

# Includes leading apostrophes: a text that looks guarded is guarded again, so ``unguard`` restores it.
_FORMULA = re.compile(r"'*[=+\-@\t\r\n]")


def guard(text: str) -> str:
    """The text for a cell, prefixed with an apostrophe if a spreadsheet would run it as a formula.

    Only for texts. Numbers such as -5 are written unguarded.
    """
    return f"'{text}" if _FORMULA.match(text) else text


def unguard(cell: str) -> str:
    """The original of a text that ``guard`` wrote."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell
