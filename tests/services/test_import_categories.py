"""Files of categories, and files of several kinds in one import."""

from collections.abc import Sequence
from decimal import Decimal

import pytest

from gqlstock.formats.csv_dialect import Columns
from gqlstock.formats.format import CategoryFormat, Context, ProductFormat
from gqlstock.formats.records import CategoryRecord, Counted, Identity, Product
from gqlstock.rules.import_rows import Row, Tie
from gqlstock.rules.refusals import Refused
from gqlstock.store.db import sql
from support import importing
from support import shop_builders as make
from support.importing import figures

PATHS = CategoryFormat(
    help="Categories.",
    columns=(Columns(("path",)),),
    category=lambda row, context: CategoryRecord(row.line, tuple(row["path"].split(" / "))),
)


async def tree() -> set[tuple[str, str, str | None]]:
    rows = await sql.query(
        "SELECT c.slug, c.name, p.slug AS parent FROM category c LEFT JOIN category p ON p.id = c.parent_id"
    )
    return {(row["slug"], row["name"], row["parent"]) for row in rows}


async def test_paths_make_a_tree_and_make_it_once(db: None) -> None:
    given = ["path\n", "Home / Kitchen\n", "Home\n", "Garden / Kitchen\n"]

    foretold = await importing.run(PATHS, given, dry=True)
    before = await tree()
    done = await importing.run(PATHS, given)
    again = await importing.run(PATHS, given)

    assert before == set()
    assert figures(foretold) == figures(done) == {"categories_made": 4}
    assert figures(again) == {}
    assert await tree() == {
        ("home", "Home", None),
        ("home-kitchen", "Kitchen", "home"),
        ("garden", "Garden", None),
        ("garden-kitchen", "Kitchen", "garden"),
    }


async def test_a_path_without_a_letter_is_refused_and_nothing_is_made(db: None) -> None:
    with pytest.raises(Refused) as error:
        await importing.run(PATHS, ["path\n", "Home\n", "*** / !\n"])

    assert str(error.value) == "Line 3: The category *** / ! has no letters or digits to generate a slug from."
    assert await tree() == set()


def _tie(row: Row, context: Context) -> Tie:
    return Tie((row["id"],)) if "name" in row.cells else Tie(group=row["id"])


def _product(rows: Sequence[Row], context: Context) -> Product | None:
    named = next((row for row in rows if "name" in row.cells), None)
    if named is None:
        context.fault(rows[0].line, f"There is no product {rows[0]['id']}.")
        return None
    counts = tuple(Counted(row.line, Decimal(row["units"]), row["place"]) for row in rows if "units" in row.cells)
    return Product(named.line, Identity.SKU, named["id"], sku=named["id"], name=named["name"], counts=counts)


TWO_KINDS = ProductFormat(
    help="Products, and their units.",
    columns=(Columns(("id", "name")), Columns(("id", "place", "units"))),
    tie=_tie,
    product=_product,
)


@pytest.mark.parametrize("turned", [False, True])
async def test_files_of_two_kinds_are_one_import_in_any_order(db: None, turned: bool) -> None:
    await make.warehouse("BERLIN")
    files = [["id;name\n", "A;Mug\n", "B;Cup\n"], ["id,place,units\n", "B,BERLIN,4\n", "A,BERLIN,3\n"]]

    done = await importing.run(TWO_KINDS, *(reversed(files) if turned else files))

    assert figures(done) == {"products_made": 2, "counted": 2}


async def test_a_fault_of_a_second_file_names_it(db: None) -> None:
    with pytest.raises(Refused) as error:
        await importing.run(TWO_KINDS, ["id;name\n", "A;Mug\n"], ["id,place,units\n", "C,BERLIN,4\n"])

    assert str(error.value) == "Line 2 of b.csv: There is no product C."
