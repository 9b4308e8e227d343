"""What a file format provides to the import: its columns, and functions that turn rows into records.

``table`` lists the formats. A format reports faults, and data that is not imported, to the ``Context`` of the run.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from urllib.parse import urljoin

from gqlstock.formats.csv_dialect import Columns
from gqlstock.formats.records import CategoryRecord, Product
from gqlstock.rules.import_report import Remark, RemarkKind, Report
from gqlstock.rules.import_rows import Faults, ItemStatus, LevelCount, Row, Tie
from gqlstock.rules.refusals import Code


class Option(StrEnum):
    """Command options that only some formats use."""

    WAREHOUSE = "warehouse"
    WEBSITE = "website"
    BASE_URL = "base_url"
    MANAGE_STOCK = "manage_stock"


@dataclass(frozen=True, slots=True)
class Options:
    """The options of a run. ``columns`` maps names of columns in the file to known ones."""

    warehouse: str | None = None
    website: str | None = None
    base_url: str | None = None
    manage_stock: bool | None = None
    columns: Mapping[str, str] = field(default_factory=dict)


_THE_END = datetime.max.replace(tzinfo=UTC)


class Context:
    """One run of an import, as a format sees it: the options, the faults and the report."""

    def __init__(
        self,
        options: Options | None = None,
        faults: Faults | None = None,
        report: Report | None = None,
        has_ref: Callable[[str], bool] = lambda ref: False,
        now: datetime = _THE_END,
    ) -> None:
        self.options = options or Options()
        self.faults = faults or Faults()
        self.report = report or Report()
        self.now = now
        """The time of the run; decides whether a date in the file is past. By default, all dates are past."""
        self.has_ref = has_ref
        """Whether any row of the file has this ref in its ``Tie``, even a row of another product."""
        self.kept: dict[tuple[str, str], tuple[str, ...]] = {}
        """What some rows say about others, by kind and name, such as category paths by id. Must stay small."""
        self.used_columns: set[str] = set()
        """Columns that are read because rows name them. Other unknown columns are reported as not imported."""

    def fault(self, line: int, message: str, code: Code = Code.INVALID_INPUT) -> None:
        """Report a faulty line. The file will be refused."""
        self.faults.add(line, message, code)

    def at(self, line: int) -> AbstractContextManager[None]:
        """Turn refusals raised in a block into faults of that line."""
        return self.faults.at(line)

    def place(self, line: int) -> str:
        """A line as messages name it: "line 5"."""
        return self.faults.files.place(line)

    def not_carried(self, line: int | None, reason: str, sku: str | None = None, units: Decimal | None = None) -> None:
        """Report data that gqlstock has no counterpart for. ``reason`` is a fixed text."""
        self.report.add(Remark(RemarkKind.NOT_CARRIED, reason, line, sku, units))

    def made_up(self, line: int | None, reason: str, sku: str | None = None) -> None:
        """Report a value that was generated because the file lacks it. ``reason`` is a fixed text."""
        self.report.add(Remark(RemarkKind.MADE_UP, reason, line, sku))

    def to_check(self, line: int | None, reason: str, sku: str | None = None, units: Decimal | None = None) -> None:
        """Report something for a person to review or to set. ``reason`` is a fixed text."""
        self.report.add(Remark(RemarkKind.TO_CHECK, reason, line, sku, units))

    def url(self, path: str) -> str | None:
        """The URL of an image. A path is resolved below ``--base-url``; None if that option is missing."""
        if path.startswith(("http://", "https://")):
            return path
        base = self.options.base_url
        return urljoin(f"{base.rstrip('/')}/", path.lstrip("/")) if base else None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductFormat:
    """A format whose rows describe products. A file must have the required columns of one of ``columns``.

    ``tie`` links the rows of a product. It returns None for a row that is left out, and reports why. ``product`` receives
    the rows of one product in file order, and returns None if the product is refused or left out.
    """

    help: str
    columns: tuple[Columns, ...]
    tie: Callable[[Row, Context], Tie | None]
    product: Callable[[Sequence[Row], Context], Product | None]
    options: frozenset[Option] = frozenset()
    makes_warehouses: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CountFormat:
    """A format whose rows count levels. ``counts`` returns the counts of a row, ``status`` the status of its product.

    ``makes_warehouses``: missing warehouses are created instead of refused. ``leaves_out_unknown_items``: counts of items
    that do not exist or hold no stock are reported instead of refused. ``hint`` is appended to the message about
    contradicting counts of a level.
    """

    help: str
    columns: tuple[Columns, ...]
    counts: Callable[[Row, Context], Iterable[LevelCount]]
    status: Callable[[Row, Context], ItemStatus | None] | None = None
    options: frozenset[Option] = frozenset()
    makes_warehouses: bool = False
    leaves_out_unknown_items: bool = False
    hint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CategoryFormat:
    """A format whose rows describe categories. ``category`` returns None for a row that is left out."""

    help: str
    columns: tuple[Columns, ...]
    category: Callable[[Row, Context], CategoryRecord | None]
    options: frozenset[Option] = frozenset()


Format = ProductFormat | CountFormat | CategoryFormat
