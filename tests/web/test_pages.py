"""What the server's own pages tell a browser: what they may load and run, and that no other site shows them."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from gqlstock.app import create_app
from gqlstock.config import Config
from gqlstock.store.db.connection import DatabaseUrl
from support import server_processes
from support import shop_builders as make
from support.browser import Browser, barriers, needs_chromium

BROWSER = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.fixture
async def http(db: None, database_url: DatabaseUrl) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(Config(database=database_url))
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://gqlstock", headers=BROWSER
    ) as client:
        yield client


def policy(page: httpx.Response) -> dict[str, str]:
    return dict(rule.split(" ", 1) for rule in page.headers["content-security-policy"].split("; "))


@pytest.mark.parametrize("path", ["/", "/graphql", "/unsubscribe", "/unsubscribe?token=nobody"])
async def test_no_page_can_be_shown_in_a_frame_or_load_what_it_does_not_name(
    http: httpx.AsyncClient, path: str
) -> None:
    page = await http.get(path)

    told = policy(page)
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert (told["default-src"], told["base-uri"], told["frame-ancestors"]) == ("'none'", "'none'", "'none'")
    assert page.headers["x-frame-options"] == "DENY"
    assert page.headers["x-content-type-options"] == "nosniff"
    assert page.headers["referrer-policy"] == "no-referrer"


async def test_the_answer_to_a_button_is_a_page_like_any_other(http: httpx.AsyncClient) -> None:
    page = await http.post("/unsubscribe", data={"token": "nobody"})

    assert (page.status_code, policy(page)["frame-ancestors"]) == (404, "'none'")
    assert policy(page)["form-action"] == "'self'"


async def test_graphiql_runs_its_own_script_and_the_packages_that_it_names(http: httpx.AsyncClient) -> None:
    told = policy(await http.get("/graphql"))

    scripts = told["script-src"].split()
    own = [one for one in scripts if one.startswith("'sha256-")]
    packages = scripts[len(own) :]
    assert len(own) == 5
    assert packages == [
        "https://unpkg.com/react@18.2.0/",
        "https://unpkg.com/react-dom@18.2.0/",
        "https://unpkg.com/graphiql@3.8.3/",
    ]
    assert told["style-src"] == "'unsafe-inline' https://unpkg.com/graphiql@3.8.3/"
    assert told["connect-src"] == "'self'"


TWO = """query Named($sku: String!) { product(sku: $sku) { named: name } }
query Counted($sku: String!) { inventoryItem(sku: $sku) { inventoryTotals { onHand } } }"""


@pytest.mark.long
@needs_chromium
async def test_the_console_without_the_internet_works_under_its_policy(
    browser: Browser, db: None, database_env: dict[str, str], tmp_path: Path
) -> None:
    await make.shop()
    await make.product("MUG")
    await make.stock("MUG", "BERLIN", 5)
    token = await make.token("inventory:read")
    async with server_processes.running(database_env, tmp_path) as started:
        browser("open", started.url)
        browser("gone", "#graphiql")
        browser("shows", "#reference", "Mutation")
        browser("fill", "#query", '{ product(sku: "MUG") { name } }')
        browser("click", "#run")
        browser("shows", "#answer", '"name": "Mug"')

        browser("fill", "#query", TWO)
        browser("fill", "#variables", '{"sku": "MUG"}')
        browser("choose", "#operation", "Named")
        browser("press", "Control+Enter")
        browser("shows", "#answer", '"named": "Mug"')
        browser("choose", "#operation", "Counted")
        browser("click", "#run")
        browser("shows", "#answer", "A token with the scope inventory:read is required.")
        browser("fill", "#headers", json.dumps({"Authorization": f"Bearer {token}"}))
        browser("click", "#run")
        browser("shows", "#answer", '"onHand": 5')
        browser("fill", "#variables", "[1]")
        browser("click", "#run")
        browser("shows", "#answer", "Variables must be a JSON object")
        browser("fill", "#variables", "")

        browser("fill", "#query", 'subscription { availabilityChanges(skus: ["MUG"]) { sku } }')
        browser("click", "#run")
        browser("shows", "#answer", '"sku": "MUG"')

        browser("fill", "#query", 'query { product(sku: "MUG") { inventoryT')
        browser("evaluate", "(document.querySelector('#query').focus(), null)")
        browser("press", "o")
        browser("shows", "#completions [aria-selected=true]", "Its stock over warehouses.")
        browser("press", "Enter")
        browser("press", "{")
        browser("press", "Control+Space")
        browser("shows", "#completions", "backordered")
        assert browser("evaluate", "document.querySelector('#query').value").endswith("{ inventoryTotals{")
        assert [told for told in browser("complaints") if "unpkg.com" not in told] == []
        found = {"list": barriers(browser)}
        browser("press", "Escape")
        browser("gone", "#completions")
        browser("fill", "#reference input", "threshold")
        browser("shows", "#reference", "LowInventoryAlert.threshold: Quantity!")
        found["reference"] = barriers(browser)
        assert found == {"list": {}, "reference": {}}
        browser("close")
