"""OroCommerce's category export: titles, with the paths of their parents."""

from gqlstock.formats import oro
from gqlstock.formats.format import CategoryFormat, Context
from gqlstock.formats.records import CategoryRecord
from gqlstock.rules.import_rows import Row


def category(row: Row, context: Context) -> CategoryRecord | None:
    """The category of a row; None for the root."""
    if not row[oro.TITLE]:
        context.fault(row.line, f"{oro.TITLE} is missing.")
        return None
    path = oro.category(row)
    return CategoryRecord(row.line, path) if path else None


FORMAT = CategoryFormat(
    help="Category tree from OroCommerce's category export.", columns=(oro.CATEGORIES,), category=category
)
