"""The files of the stockroom and the wall display: how they are served, that they are whole, and that the contract has what
they ask for."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from graphql import GraphQLObjectType, build_schema, parse, validate
from graphql.language import OperationDefinitionNode

from gqlstock.app import create_app
from gqlstock.config import Config
from gqlstock.rules.limits import Limits
from gqlstock.store.db.connection import DatabaseUrl
from gqlstock.web import stockroom

ROOT = Path(__file__).parent.parent.parent
FILES = Path(stockroom.__file__).parent / "stockroom"
SCHEMA = build_schema((ROOT / "schema.graphql").read_text())
PARTS = sorted(file for file in FILES.rglob("*") if file.is_file() and file.suffix != ".html")
PATHS = [*stockroom.PAGES, *(f"/stockroom/{file.relative_to(FILES)}" for file in PARTS)]
MODULES = [file for file in PARTS if file.suffix == ".js"]
IMPORT = re.compile(r"^(?:import|export) [^;]*?from '([^']+)'", re.M)
DOCUMENTS = [
    document
    for file in sorted((FILES / "documents").iterdir())
    for document in re.findall(r"/\* GraphQL \*/ `([^`]*)`", file.read_text())
]


@pytest.fixture
async def http(db: None, database_url: DatabaseUrl) -> AsyncIterator[httpx.AsyncClient]:
    # Without what the public may be denied: a page of ordinary files is not touched by it.
    app = create_app(Config(database=database_url, limits=Limits(public_introspection=False)))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gqlstock") as client:
        yield client


@pytest.mark.parametrize("path", stockroom.PAGES)
async def test_pages_run_nothing_but_their_own_scripts(http: httpx.AsyncClient, path: str) -> None:
    page = await http.get(path)

    policy = dict(rule.split(" ", 1) for rule in page.headers["content-security-policy"].split("; "))
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert policy == {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "connect-src": "'self'",
        "img-src": "'self' http: https:",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
        "require-trusted-types-for": "'script'",
        "trusted-types": "'none'",
    }


@pytest.mark.parametrize("path", PATHS)
async def test_each_file_is_what_it_says_and_is_asked_for_again(http: httpx.AsyncClient, path: str) -> None:
    answer = await http.get(path)
    tag = answer.headers["etag"]
    again = await http.get(path, headers={"if-none-match": tag})
    by_a_proxy = await http.get(path, headers={"if-none-match": f"W/{tag}"})
    of_another = await http.get(path, headers={"if-none-match": '"0123456789abcdef"'})

    assert [one.status_code for one in (answer, again, by_a_proxy, of_another)] == [200, 304, 304, 200]
    assert (again.content, of_another.content) == (b"", answer.content)
    assert answer.headers["content-type"].split(";")[0] == _TYPES[Path(path).suffix]
    for told in (answer, again):
        assert told.headers["cache-control"] == "no-cache"
        assert told.headers["x-content-type-options"] == "nosniff"
        assert told.headers["referrer-policy"] == "no-referrer"
        assert told.headers["content-security-policy"].startswith("default-src 'none'; script-src 'self';")


_TYPES = {"": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


async def test_files_that_differ_have_different_tags(http: httpx.AsyncClient) -> None:
    tags = {(await http.get(path)).headers["etag"] for path in PATHS}

    assert len(tags) == len(PARTS) + len(set(stockroom.PAGES.values())) > 10


@pytest.mark.parametrize(
    "path",
    [
        "/stockroom/",
        "/stockroom/none.js",
        "/stockroom/index.html",
        "/stockroom/../stockroom.py",
        "/stockroom/%2e%2e/app.py",
        "/nowhere",
    ],
)
async def test_nothing_else_is_served(http: httpx.AsyncClient, path: str) -> None:
    assert (await http.get(path)).status_code == 404


async def test_all_that_pages_ask_for_is_served(http: httpx.AsyncClient) -> None:
    for path, name in stockroom.PAGES.items():
        page = (await http.get(path)).text
        wanted = re.findall(r'(?:href|src)="(stockroom/[^"]+)"', page)
        preloaded = re.findall(r'<link rel="modulepreload" href="([^"]+)">\n', page)

        assert all((FILES.parent / file).is_file() for file in wanted)
        assert {FILES.parent / file for file in preloaded} == used_by([(FILES / name).read_text()])
        assert len(preloaded) == len(set(preloaded)) > 10, path
        assert re.sub(r'<link rel="modulepreload".*\n', "", page) == (FILES / name).read_text()


def test_every_import_is_of_another_module() -> None:
    imported = {file: IMPORT.findall(file.read_text()) for file in MODULES}

    assert sum(map(len, imported.values())) > 50
    for file, names in imported.items():
        assert all(name.startswith(".") and (file.parent / name).resolve() in MODULES for name in names), file


def test_no_module_is_left_over() -> None:
    assert used_by([(FILES / name).read_text() for name in set(stockroom.PAGES.values())]) == set(MODULES)


def used_by(pages: list[str]) -> set[Path]:
    """The modules that documents import, and that those import."""
    wanted = [FILES.parent / name for page in pages for name in re.findall(r'src="(stockroom/[^"]+\.js)"', page)]
    used = set(wanted)
    while wanted:
        file = wanted.pop()
        new = {(file.parent / name).resolve() for name in IMPORT.findall(file.read_text())} - used
        used |= new
        wanted += new
    return used


def test_modules_are_short() -> None:
    lengths = {file: len(file.read_text().splitlines()) for file in PARTS if file.suffix in (".js", ".css")}

    assert {file: length for file, length in lengths.items() if length > 350} == {}


def test_each_page_of_the_stockroom_has_its_path() -> None:
    paths = {f"/{path}" for file in MODULES for path in re.findall(r"static path = '([^']*)'", file.read_text())}

    assert paths | {"/", "/wall"} == set(stockroom.PAGES)


def test_the_item_page_has_words_for_every_setting() -> None:
    words = (FILES / "pages" / "item" / "setting_words.js").read_text()
    named = re.findall(r"^  (\w+): \{", words.partition("const SETTINGS = {")[2].partition("\n};")[0], re.M)
    settings = SCHEMA.get_type("InventorySettings")

    assert isinstance(settings, GraphQLObjectType)
    assert sorted(named) == sorted(settings.fields)


def test_nothing_comes_from_elsewhere() -> None:
    texts = [file.read_text() for file in FILES.rglob("*") if file.is_file()]
    addresses = {url for text in texts for url in re.findall(r"(?:https?:)?//[a-z][^\s'\"]*\.[^\s'\"]*", text)}

    # The one is the name of a language.
    assert addresses == {"http://www.w3.org/2000/svg"}


def test_no_module_makes_markup_of_texts() -> None:
    for file in MODULES:
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b", file.read_text()), file


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda text: re.findall(r"\w+", text)[1])
def test_what_pages_ask_is_in_the_contract(document: str) -> None:
    assert validate(SCHEMA, parse(document)) == []


def test_each_document_is_one_operation_with_a_name_of_its_own() -> None:
    operations = [
        definition
        for document in DOCUMENTS
        for definition in parse(document).definitions
        if isinstance(definition, OperationDefinitionNode)
    ]
    names = [operation.name.value for operation in operations if operation.name]

    assert len(set(names)) == len(DOCUMENTS) == len(operations)
    texts = [file.read_text() for file in (FILES / "documents").iterdir()]
    assert len(DOCUMENTS) == sum(text.count("export const ") for text in texts) > 20
