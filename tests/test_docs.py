"""README and docs are true: what stands in them runs as it stands, leads somewhere, and is told of in the contents."""

import os
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import typer

from gqlstock.cli import app
from gqlstock.store.db.connection import SqliteFile
from support.documentation_pages import (
    ANY,
    GUIDE,
    HOME,
    PAGES,
    README,
    SET_UP,
    Block,
    blocks,
    fits,
    name,
    reader,
    run,
    script,
    to_ask,
)

# The README's are asked of the demo (tests/cli/test_demo.py).
QUESTIONS = [page for page in PAGES if to_ask(page) and page != README]
SCRIPTS = [page for page in PAGES if script(page)]


@pytest.mark.parametrize("page", QUESTIONS, ids=name)
async def test_everything_that_a_page_asks_is_answered_as_it_tells(db: None, page: Path) -> None:
    of_the_guide = to_ask(GUIDE)
    set_up = [block for block in of_the_guide if block.section == SET_UP]
    tried = of_the_guide if page == GUIDE else [*set_up, *to_ask(page)]

    async with reader() as one:
        for block in tried:
            await one.tries(block)


@pytest.mark.parametrize("page", SCRIPTS, ids=name)
def test_the_commands_of_a_page_run_one_after_another(tmp_path: Path, migrated_file: SqliteFile, page: Path) -> None:
    if page != README:  # which begins with nothing
        shutil.copy(migrated_file.path, tmp_path / "shop.db")

    run(script(page), tmp_path, GQLSTOCK_DATABASE_URL="sqlite:///shop.db")


def test_what_the_readme_starts_with_can_be_started() -> None:
    (block, *_) = (block for block in blocks(README) if block.language == "console")
    commands = re.findall(r"^\$ (\S+)", block.text, re.MULTILINE)

    assert commands == ["scripts/demo", "scripts/test"]
    assert all(os.access(HOME / command, os.X_OK) for command in commands)


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_link_leads_somewhere(page: Path) -> None:
    links = re.findall(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)", re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL))
    for link in links:
        file, _, anchor = link.partition("#")
        if link.startswith(("http://", "https://")):
            continue
        target = (page.parent / file) if file else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


FILES = [block for page in PAGES for block in blocks(page) if block.is_a_file]


@pytest.mark.parametrize("block", FILES, ids=lambda block: block.kind)
def test_a_block_that_names_a_file_is_that_file(block: Block) -> None:
    assert block.text == (HOME / block.kind).read_text(), block.where


def anchors(page: Path) -> list[str]:
    """What links to headings of a page end with."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return [re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings]


def test_the_contents_have_every_page_of_the_docs() -> None:
    contents = HOME / "docs" / "README.md"
    listed = {contents.parent / link for link in re.findall(r"\]\(([^)#]+\.md)\)", contents.read_text())}

    assert {page for page in PAGES if "docs" in page.parts and page != contents} <= listed


def test_the_commands_of_the_readme_begin_with_init_and_end_with_an_order() -> None:
    commands = script(README)

    assert re.findall(r"gqlstock (\w+)", commands) == ["init", "serve"]
    assert re.findall(r"mutation { (\w+)", commands)[-1] == "placeOrder"


def test_the_readme_shows_the_main_job() -> None:
    asked = [block.text.split("{")[0].strip() for block in to_ask(README) if block.language == "graphql"]

    assert asked == ["query WhatCanBeSold", "query WhyNot", "subscription Alerts", "mutation Order"]


def test_the_guide_has_each_task() -> None:
    tasks = {block.section for block in to_ask(GUIDE)}

    assert len(tasks) > 12
    assert {"Show what can be sold", "Take an order", "Count", "Move", "Receive", "Ship", "Return"} <= tasks
    assert {"Ship from another warehouse", "Cancel"} <= tasks
    assert {"Sell what is on its way", "Tell the shopper when it will leave", "A delivery slips"} <= tasks


def test_the_table_of_commands_has_every_command_and_no_other() -> None:
    told = re.findall(r"^\| `gqlstock ([a-z]+)", (HOME / "docs" / "reference.md").read_text(), re.MULTILINE)
    there: Any = typer.main.get_command(app)

    assert set(told) == set(there.commands)


def test_the_files_and_functions_that_the_architecture_names_are_there() -> None:
    page = (HOME / "docs" / "architecture.md").read_text()
    sources = list((HOME / "src" / "gqlstock").rglob("*.py"))

    named = re.findall(r"`([\w/]+\.py)(?:: (\w+)\(\))?`", page)

    assert len(named) > 20
    for file, function in named:
        (found, *_) = [one for one in [HOME / file, *sources] if one.is_file() and str(one).endswith(f"/{file}")]
        assert not function or f"def {function}(" in found.read_text(), (file, function)


@pytest.mark.parametrize(
    ("told", "really", "same"),
    [
        ({"a": ANY}, {"a": 1}, True),
        ({"a": ANY}, {"a": None}, False),
        ({"a": 1}, {"a": 1, "b": 2}, False),
        ([{"a": 1}], [{"a": 1}, {"a": 1}], False),
        (1, True, False),
    ],
)
def test_an_answer_that_is_told_wrong_is_found_out(told: object, really: object, same: bool) -> None:
    assert fits(told, really) is same
