"""The dashboard's files: how they are served, that they are whole, and that the contract has what they ask for."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from graphql import build_schema, parse, validate
from graphql.language import OperationDefinitionNode

from gqlstock.app import create_app
from gqlstock.config import Config
from gqlstock.rules.limits import Limits
from gqlstock.store.db.connection import DatabaseUrl
from gqlstock.web import dashboard

ROOT = Path(__file__).parent.parent.parent
FILES = Path(dashboard.__file__).parent / "dashboard"
SCHEMA = build_schema((ROOT / "schema.graphql").read_text())
PATHS = ["/", *(f"/dashboard/{file.name}" for file in sorted(FILES.iterdir()) if file.suffix != ".html")]
MODULES = sorted(FILES.glob("*.js"))
DOCUMENTS = re.findall(r"/\* GraphQL \*/ `([^`]*)`", (FILES / "documents.js").read_text())


@pytest.fixture
async def http(db: None, database_url: DatabaseUrl) -> AsyncIterator[httpx.AsyncClient]:
    # Without what the public may be denied: a page of ordinary files is not touched by it.
    app = create_app(Config(database=database_url, limits=Limits(public_introspection=False)))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gqlstock") as client:
        yield client


async def test_the_page_is_at_the_root_and_runs_nothing_but_its_own_scripts(http: httpx.AsyncClient) -> None:
    page = await http.get("/")

    policy = dict(rule.split(" ", 1) for rule in page.headers["content-security-policy"].split("; "))
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert policy == {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "connect-src": "'self'",
        "img-src": "'self'",
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

    assert len(tags) == len(PATHS) > 10


@pytest.mark.parametrize(
    "path",
    [
        "/dashboard/",
        "/dashboard/none.js",
        "/dashboard/index.html",
        "/dashboard/../dashboard.py",
        "/dashboard/%2e%2e/app.py",
    ],
)
async def test_nothing_else_is_served(http: httpx.AsyncClient, path: str) -> None:
    assert (await http.get(path)).status_code == 404


async def test_all_that_the_page_and_its_modules_ask_for_is_served(http: httpx.AsyncClient) -> None:
    page = (await http.get("/")).text
    wanted = re.findall(r'(?:href|src)="(?!#)([^"]+)"', page)
    wanted += [f"dashboard/{name}" for file in MODULES for name in re.findall(r"from '\./([^']+)'", file.read_text())]

    answers = {path: (await http.get(f"/{path}")).status_code for path in wanted}

    assert len(answers) > 10
    assert set(answers.values()) == {200}


def test_nothing_comes_from_elsewhere_and_every_import_is_of_a_neighbour() -> None:
    texts = {file.name: file.read_text() for file in FILES.iterdir()}
    addresses = {url for text in texts.values() for url in re.findall(r"(?:https?:)?//[a-z][^\s'\"]*\.[^\s'\"]*", text)}
    imported = [
        name for file in MODULES for name in re.findall(r"^(?:import|export) .*?from '([^']+)'", file.read_text(), re.M)
    ]

    # The one is the name of a language.
    assert addresses == {"http://www.w3.org/2000/svg"}
    assert len(imported) > 20
    assert all(name.startswith("./") for name in imported)


def test_no_module_makes_markup_of_texts() -> None:
    for file in MODULES:
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b", file.read_text()), file


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda text: re.findall(r"Dashboard\w+", text)[0])
def test_what_the_dashboard_asks_is_in_the_contract(document: str) -> None:
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
    assert len(DOCUMENTS) == (FILES / "documents.js").read_text().count("export const ")
