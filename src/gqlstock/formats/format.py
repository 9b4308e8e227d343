"""What a format of files gives to the import: its columns, and functions that make records of rows.

``table`` names the formats. A format reports what is wrong and what does not come over to the ``Context`` of its run.
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
    """The options of a command that only some formats use."""

    WAREHOUSE = "warehouse"
    WEBSITE = "website"
    BASE_URL = "base_url"
    MANAGE_STOCK = "manage_stock"


@dataclass(frozen=True, slots=True)
class Options:
    """The options of a run. ``columns``: names of columns in the file, and what they stand for."""

    warehouse: str | None = None
    website: str | None = None
    base_url: str | None = None
    manage_stock: bool | None = None
    columns: Mapping[str, str] = field(default_factory=dict)


_THE_END = datetime.max.replace(tzinfo=UTC)


class Context:
    """One run of an import, as a format sees it: the options, and where it reports to."""

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
        """The moment of the run: whether a date of the file is past. Without one, all dates are."""
        self.has_ref = has_ref
        """Whether a row of the file has this ref of its ``Tie``, even if it belongs to another product."""
        self.kept: dict[tuple[str, str], tuple[str, ...]] = {}
        """What some rows tell about others, by a kind and a name: the paths of categories by their ids. Few of them."""
        self.used_columns: set[str] = set()
        """Columns that are read because rows name them. The others are reported as not carried."""

    def fault(self, line: int, message: str, code: Code = Code.INVALID_INPUT) -> None:
        """A line is wrong. The file is refused."""
        self.faults.add(line, message, code)

    def at(self, line: int) -> AbstractContextManager[None]:
        """Turn the refusals of a block into faults of that line."""
        return self.faults.at(line)

    def place(self, line: int) -> str:
        """A line for a message: "line 5"."""
        return self.faults.files.place(line)

    def not_carried(self, line: int | None, reason: str, sku: str | None = None, units: Decimal | None = None) -> None:
        """Something has no counterpart here. ``reason`` is a fixed text."""
        self.report.add(Remark(RemarkKind.NOT_CARRIED, reason, line, sku, units))

    def made_up(self, line: int | None, reason: str, sku: str | None = None) -> None:
        """Something was needed that the file does not say. ``reason`` is a fixed text."""
        self.report.add(Remark(RemarkKind.MADE_UP, reason, line, sku))

    def to_check(self, line: int | None, reason: str, sku: str | None = None, units: Decimal | None = None) -> None:
        """A person should look at something, or set something. ``reason`` is a fixed text."""
        self.report.add(Remark(RemarkKind.TO_CHECK, reason, line, sku, units))

    def url(self, path: str) -> str | None:
        """The address of a picture; of a path only below ``--base-url``, else None."""
        if path.startswith(("http://", "https://")):
            return path
        base = self.options.base_url
        return urljoin(f"{base.rstrip('/')}/", path.lstrip("/")) if base else None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductFormat:
    """A format whose rows say products. ``columns``: a file has the required ones of one of them.

    ``tie`` says which rows belong together. It returns None for a row that is left out, and reports why. ``product`` gets
    the rows of one product in the order of the file; None for one that is refused or left out.
    """

    help: str
    columns: tuple[Columns, ...]
    tie: Callable[[Row, Context], Tie | None]
    product: Callable[[Sequence[Row], Context], Product | None]
    options: frozenset[Option] = frozenset()
    makes_warehouses: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CountFormat:
    """A format whose rows count levels. ``counts`` gives the levels of one row, ``status`` the status of its product.

    ``makes_warehouses``: missing ones are made, else they are refused. ``leaves_out_unknown_items``: counts of items that are
    not there or not counted are reported, else they are refused. ``hint``: what to say to two counts of one level.
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
    """A format whose rows say categories. ``category`` returns None for a row that is left out."""

    help: str
    columns: tuple[Columns, ...]
    category: Callable[[Row, Context], CategoryRecord | None]
    options: frozenset[Option] = frozenset()


Format = ProductFormat | CountFormat | CategoryFormat
