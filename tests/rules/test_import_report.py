"""What an import reports, counted by reason."""

from decimal import Decimal

from gqlstock.rules.import_report import Kind, Remark, RemarkKind, Report, Tally
from gqlstock.rules.import_rows import LINES_PER_FILE, Faults, Files


def test_figures_come_first_and_then_remarks_by_kind_and_reason() -> None:
    report = Report()
    report[Kind.PRODUCTS].add(Tally(2, 1, 7))
    report[Kind.LEVELS].add(Tally(changed=5, unchanged=1))
    report.add(Remark(RemarkKind.NOT_CARRIED, "columns: Vendor"))
    for sku in ("A", "B", "A", "C", "D"):
        report.add(Remark(RemarkKind.NOT_CARRIED, "bundles", 2, sku))
    report.add(Remark(RemarkKind.MADE_UP, "SKUs", 3, "tee-S"))
    report.add(Remark(RemarkKind.NOT_CARRIED, "units", 4, "MUG", Decimal("1.5")))
    report.add(Remark(RemarkKind.NOT_CARRIED, "units", 5, "CUP", Decimal(2)))

    assert list(report.lines()) == [
        "Products: 2 created, 1 updated, 7 unchanged.",
        "Levels: 5 counted, 1 unchanged.",
        "Generated:",
        "  SKUs: 1 (tee-S)",
        "Not imported:",
        "  columns: Vendor",
        "  bundles: 5 (A, B, C, …)",
        "  units: 2, 3.5 units (MUG, CUP)",
    ]


def test_a_check_says_what_would_be_done() -> None:
    report = Report()
    report[Kind.WAREHOUSES].made = 2
    report[Kind.COMBINATIONS].add(Tally(2, 1, 7))
    report[Kind.LEVELS].add(Tally(changed=5))

    assert list(report.lines(future=True)) == [
        "Warehouses: 2 to create.",
        "Combinations: 2 to create, 1 to update, 7 unchanged.",
        "Levels: 5 to count, 0 unchanged.",
    ]


def test_many_reasons_take_no_more_memory_than_some() -> None:
    report = Report()

    for number in range(1_000):
        report.add(Remark(RemarkKind.TO_CHECK, f"reason {number}", number, f"SKU-{number}"))

    found = report.reasons(RemarkKind.TO_CHECK)
    assert len(found) == 101
    assert found["other reasons"].count == 900


def test_each_remark_is_handed_on_as_it_is_made() -> None:
    handed: list[Remark] = []
    remark = Remark(RemarkKind.MADE_UP, "SKUs", 2, "tee")

    Report(sink=handed.append).add(remark)

    assert handed == [remark]


def test_a_line_of_several_files_is_told_with_its_file() -> None:
    faults = Faults(Files(("a.csv", "b.csv")))

    faults.add(LINES_PER_FILE + 3, "wrong.")
    faults.add(7, "wrong.")

    assert [fault.message for fault in faults.reported] == ["Line 7 of a.csv: wrong.", "Line 3 of b.csv: wrong."]
    assert faults.files.split(LINES_PER_FILE + 3) == ("b.csv", 3)
