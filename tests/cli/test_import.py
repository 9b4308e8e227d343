"""``gqlstock import``: what its options do, and what it prints."""

from pathlib import Path

import pytest

from gqlstock.formats.format import Option
from gqlstock.formats.table import FORMATS
from gqlstock.services import imports
from gqlstock.services.import_progress import CHECKED, COUNTED, Progress
from gqlstock.store.catalog import Item
from gqlstock.store.db.outages import ConnectionLost
from support import shop_builders as make
from support.command_line import Fill, Run

EXPORT = """\
Handle,Title,Vendor,Option1 Name,Option1 Value,Variant SKU,Variant Inventory Qty
tee,Tee,me,Size,S,,4
tee,,,,M,TEE-M,-2
mug,Mug,me,Title,Default Title,MUG,5
"""


def test_a_check_says_what_an_import_would_do_and_writes_nothing(run: Run, fill: Fill, tmp_path: Path) -> None:
    fill(make.shop)
    file = tmp_path / "products.csv"
    file.write_text(EXPORT)

    checked = run("import", "shopify-products", file, "--warehouse", "BERLIN", "--check")

    async def nothing_is_there() -> None:
        assert await Item.all().count() == 0

    fill(nothing_is_there)
    done = run("import", "shopify-products", file, "--warehouse", "BERLIN")
    remarks = """\
Generated:
  SKUs missing from the file: 2 (tee, tee-S)
Not imported:
  columns: Vendor
  units owed to the old shop's customers (negative counts): counted as 0: 1, 2 units (TEE-M)
"""
    assert (checked.exit_code, checked.stdout) == (
        0,
        f"""\
Nothing was written. An import would do this:
Products: 2 to create, 0 to update, 0 unchanged.
Combinations: 2 to create, 0 to update, 0 unchanged.
Levels: 3 to count, 0 unchanged.
{remarks}""",
    )
    assert (done.exit_code, done.stdout) == (
        0,
        f"""\
Products: 2 created, 0 updated, 0 unchanged.
Combinations: 2 created, 0 updated, 0 unchanged.
Levels: 3 counted, 0 unchanged.
{remarks}""",
    )
    assert checked.stderr == done.stderr == "Line 3: TEE-M has -2; counted as 0.\n"


def test_a_report_has_each_remark_as_a_row(run: Run, fill: Fill, tmp_path: Path) -> None:
    fill(make.shop)
    file, report = tmp_path / "products.csv", tmp_path / "report.csv"
    file.write_text(EXPORT)

    for check in (["--check"], []):
        run("import", "shopify-products", file, "--warehouse", "BERLIN", "--report", report, *check)

        assert sorted(report.read_text().splitlines()) == [
            ",,,not imported,columns: Vendor,",
            "file,line,sku,kind,reason,units",
            "products.csv,2,tee,generated,SKUs missing from the file,",
            "products.csv,2,tee-S,generated,SKUs missing from the file,",
            "products.csv,3,TEE-M,not imported,units owed to the old shop's customers (negative counts): counted as 0,2",
        ]


def test_several_files_are_one_import_and_lines_are_told_with_their_file(run: Run, fill: Fill, tmp_path: Path) -> None:
    async def shop() -> None:
        await make.shop()
        await make.product("MUG")
        await make.product("CUP")

    fill(shop)
    first, second = tmp_path / "first.csv", tmp_path / "second.csv"
    first.write_text("sku,warehouse,on_hand\nMUG,BERLIN,3\n")
    second.write_text("SKU;Warehouse;On_hand\nCUP;BERLIN;4\nMUG;BERLIN;5\n")

    refused = run("import", "levels", first, second)
    second.write_text("SKU;Warehouse;On_hand\nCUP;BERLIN;4\nMUG;BERLIN;3\n")
    done = run("import", "levels", first, second)

    assert (refused.exit_code, refused.stdout) == (1, "")
    assert refused.stderr == "Line 3 of second.csv: MUG in BERLIN has 5 here but 3 on line 2 of first.csv.\n"
    assert (done.exit_code, done.stdout) == (0, "Levels: 2 counted, 0 unchanged.\n")


def test_a_header_that_is_not_understood_names_its_file(run: Run, tmp_path: Path) -> None:
    first, second = tmp_path / "first.csv", tmp_path / "second.csv"
    first.write_text("sku,warehouse,on_hand\n")
    second.write_text("sku,warehouse,menge\n")

    result = run("import", "levels", first, second)

    assert (result.exit_code, result.stderr) == (
        1,
        "second.csv: The header has no column on_hand; it has: sku, warehouse, menge. "
        'If it has another name: --column "NAME=on_hand".\n',
    )


def test_columns_and_encoding_can_be_named(run: Run, fill: Fill, tmp_path: Path) -> None:
    async def shop() -> None:
        await make.shop()
        await make.product("Ž")

    fill(shop)
    file = tmp_path / "in.csv"
    file.write_bytes("Artikel;Lager;Bestand\nŽ;BERLIN;4\n".encode("iso-8859-2"))
    columns = ("--column", "Artikel=sku", "--column", "lager=warehouse", "--column", "Bestand=on_hand")

    done = run("import", "levels", file, "--encoding", "iso-8859-2", *columns)
    unknown = run("import", "levels", file, "--encoding", "iso-8859-2", *columns, "--column", "Ort=place")
    wrong = run("import", "levels", file, "--column", "Artikel")

    assert (done.exit_code, done.stdout, done.stderr) == (0, "Levels: 1 counted, 0 unchanged.\n", "")
    assert (unknown.exit_code, unknown.stderr) == (1, "No file has the column Ort that --column names.\n")
    assert (wrong.exit_code, wrong.stderr) == (
        1,
        "--column is 'Artikel'; expected NAME=KNOWN, such as \"Lager=Stock\".\n",
    )


def test_an_option_that_the_format_does_not_use_is_refused_by_name(run: Run, tmp_path: Path) -> None:
    values = {
        Option.WAREHOUSE: "BERLIN",
        Option.WEBSITE: "shop",
        Option.BASE_URL: "https://x",
        Option.MANAGE_STOCK: "true",
    }
    for name, given in FORMATS.items():
        for option in Option:
            flag = f"--{option.replace('_', '-')}"
            result = run("import", name, tmp_path / "none.csv", flag, values[option])

            expected = 1 if option in given.options else 2
            assert (result.exit_code, flag in result.stderr) == (expected, expected == 2), (name, option)


def test_a_website_that_is_not_there_is_refused(run: Run, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("Handle,Location\n")

    result = run("import", "shopify-inventory", tmp_path / "in.csv", "--website", "none")

    assert (result.exit_code, result.stdout, result.stderr) == (1, "", "There is no website none.\n")


@pytest.mark.parametrize(
    ("step", "state"),
    [
        (CHECKED, "Stopped: nothing of {} was imported."),
        (
            COUNTED,
            "Stopped: {} may be partly imported. Import it again to finish; what is already imported stays unchanged.",
        ),
    ],
)
def test_what_an_import_has_written_is_told_when_the_database_goes_away(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, step: str, state: str
) -> None:
    async def lost(*_: object, progress: Progress, **__: object) -> None:
        progress(step, 1, 2)
        raise ConnectionLost("the database cannot be reached: Connection refused")

    monkeypatch.setattr(imports, "run", lost)
    file = tmp_path / "in.csv"
    file.write_text("sku,warehouse,on_hand\nMUG,BERLIN,5\n")

    result = run("import", "levels", file)

    reason = "gqlstock stopped: the database cannot be reached: Connection refused"
    assert (result.exit_code, result.stdout, result.stderr) == (1, "", f"{reason}\n{state.format(file)}\n")
