"""What rows of OroCommerce's category export say."""

import pytest

from gqlstock.rules.refusals import Refused
from gqlstock.store.categories import Category
from support import importing
from support.importing import figures

HEADER = "ID,Title.default.value,Parent category.Title\n"
TREE = [HEADER, "1,All Products,\n", "2,Pots / pans,All Products\n", "3,Lids,All Products / Pots // pans\n"]


async def paths() -> dict[str, str | None]:
    """The names of all categories, with those of their parents."""
    found = await Category.all().prefetch_related("parent")
    return {one.name: one.parent.name if one.parent else None for one in found}


async def test_the_tree_is_made_below_the_root(db: None) -> None:
    foretold = await importing.run("oro-categories", TREE, dry=True)
    made = await importing.run("oro-categories", TREE)
    again = await importing.run("oro-categories", TREE)

    assert figures(foretold) == figures(made) == {"categories_made": 2}
    assert figures(again) == {}
    assert await paths() == {"Pots / pans": None, "Lids": "Pots / pans"}


async def test_a_child_may_stand_before_its_parent(db: None) -> None:
    await importing.run("oro-categories", [HEADER, TREE[3], TREE[2]])

    assert await paths() == {"Pots / pans": None, "Lids": "Pots / pans"}


async def test_internal_names_are_known(db: None) -> None:
    header = "titles.default.value,parentCategory.titles.default.value\n"

    await importing.run("oro-categories", [header, "Home,All Products\n"])

    assert await paths() == {"Home": None}


async def test_a_row_without_a_title_is_refused(db: None) -> None:
    with pytest.raises(Refused) as refused:
        await importing.run("oro-categories", [HEADER, "2,,All Products\n"])

    assert [one.message for one in refused.value.refusals] == ["Line 2: Title.default.value is missing."]


async def test_progress_tells_when_writing_begins(db: None) -> None:
    told: list[tuple[str, int, int | None]] = []

    def progress(what: str, done: int, of: int | None) -> None:
        told.append((what, done, of))

    await importing.run("oro-categories", TREE, dry=True, progress=progress)
    checked = list(told)
    await importing.run("oro-categories", TREE, progress=progress)

    assert [step for step in checked if step[0] == "Imported"] == []
    assert [step for step in told if step[0] == "Imported"] == [("Imported", 0, 2)]
