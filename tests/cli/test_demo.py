"""The demo as a person meets it: what it prints can be opened and asked as it stands, and Ctrl-C ends it without a word."""

import contextlib
import itertools
import json
import re
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from gqlstock.cli.demo import welcome
from gqlstock.cli.demo.wares import WAREHOUSES
from support.command_line import PATIENCE, running, stopped
from support.documentation_pages import HOME, README, fits, to_ask
from support.server_processes import free_port

LAST_LINE = "    -d "


@dataclass(frozen=True)
class Demo:
    """``told``: what it printed."""

    site: str
    told: str

    @property
    def queries(self) -> list[str]:
        """The indented blocks that are documents."""
        blocks = re.findall(r"(?:^  .*\n)+", self.told, re.MULTILINE)
        return [block for block in blocks if re.match(r"  (\{|mutation|subscription)", block)]

    @property
    def headers(self) -> dict[str, str]:
        """As they are printed for GraphiQL."""
        (line,) = re.findall(r"^GraphiQL header:  (\{.*\})$", self.told, re.MULTILINE)
        return dict(json.loads(line))

    def ask(self, query: str, headers: dict[str, str] | None = None) -> dict[str, Any]:
        answer = httpx.post(f"{self.site}/graphql", json={"query": query}, headers=headers, timeout=PATIENCE)
        body: dict[str, Any] = answer.json()
        assert "errors" not in body, body
        return dict(body["data"])


def told_by(process: subprocess.Popen[str]) -> str:
    """What it prints until it waits to be stopped."""
    assert process.stdout is not None
    lines = []
    for line in iter(process.stdout.readline, ""):
        lines.append(line)
        if line.startswith(LAST_LINE):
            return "".join(lines)
    raise AssertionError(process.communicate()[1])


@pytest.fixture(scope="module")
def demo() -> Iterator[Demo]:
    port = free_port()
    command = [str(HOME / "scripts" / "demo"), "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        yield Demo(f"http://127.0.0.1:{port}", told_by(process))
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_demo_sells_until_it_is_stopped(number: signal.Signals) -> None:
    port = free_port()

    with running("demo", "--port", str(port), env={}) as process:
        demo = Demo(f"http://127.0.0.1:{port}", told_by(process))
        deadline = time.monotonic() + PATIENCE
        while demo.ask("{ orders { totalCount } }", demo.headers)["orders"]["totalCount"] < 2:
            assert time.monotonic() < deadline, "no shopper ever came"
            time.sleep(0.2)
        code, stderr = stopped(process, number)

    assert (code, stderr) == (0, "")


def test_the_demo_listens_on_another_host_and_is_told_where_this_machine_reaches_it() -> None:
    port = free_port()

    with running("demo", "--host", "0.0.0.0", "--port", str(port), env={}) as process:
        demo = Demo(f"http://127.0.0.1:{port}", told_by(process))
        code, _ = stopped(process, signal.SIGINT)

    assert (code, f"  {demo.site}/graphql " in demo.told) == (0, True)


def test_it_prints_where_to_look(demo: Demo) -> None:
    pages = re.findall(r"^  (http\S+) ", demo.told, re.MULTILINE)

    token = demo.headers["Authorization"].removeprefix("Bearer ")
    signed_in = [f"{demo.site}/{page}#token={token}" for page in ("", "wall")]
    assert pages == [f"{demo.site}/storefront/", f"{demo.site}/graphql", *signed_in]
    for page in pages:
        answer = httpx.get(page, headers={"accept": "text/html"})
        assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")


@pytest.mark.parametrize("number", range(len(welcome.TO_TRY)), ids=[what for what, _ in welcome.TO_TRY])
def test_each_query_that_it_prints_can_be_sent(demo: Demo, number: int) -> None:
    query = demo.queries[number]

    data = _first_event(demo, query) if query.startswith("  subscription") else demo.ask(query, demo.headers)

    for field in data.values():
        assert field is not None
        assert field.get("userErrors", []) == []
        assert field.get("nodes") != []


def test_each_query_of_the_readme_is_answered_by_the_demo_as_it_says(demo: Demo) -> None:
    answer: dict[str, Any] = {}
    answers: dict[str, Any] = {}
    for block in to_ask(README):
        if block.language == "json":
            assert fits(_without_what_shoppers_change(json.loads(block.text)), _without_what_shoppers_change(answer))
            continue
        if block.text.startswith("subscription"):
            with _falling_and_rising(demo, "SEED-BOX"):
                answer = _first_event(demo, block.text)
        else:
            answer = demo.ask(block.text, None if block.kind == "public" else demo.headers)
        answers |= answer

    assert answers.keys() == {"products", "explainAvailability", "lowInventoryAlerts", "placeOrder"}
    assert len(answers["products"]["nodes"]) == 5
    (line,) = answers["placeOrder"]["order"]["lines"]
    assert sum(allocation["quantity"] for allocation in line["allocations"]) == line["quantity"]


def _without_what_shoppers_change(answer: dict[str, Any]) -> dict[str, Any]:
    """Orders before this one have taken numbers, and maybe units of the first warehouse."""
    plain: dict[str, Any] = json.loads(json.dumps(answer))
    if "placeOrder" in plain:
        plain["placeOrder"]["order"]["number"] = ""
        for allocation in plain["placeOrder"]["order"]["lines"][0]["allocations"]:
            allocation["quantity"] = 0
    return plain


@contextlib.contextmanager
def _falling_and_rising(demo: Demo, sku: str) -> Iterator[None]:
    """Meanwhile an item runs out and is back, over and over."""
    ended = threading.Event()

    def count() -> None:
        for on_hand in itertools.cycle((0, 100)):
            rows = ", ".join(f'{{ sku: "{sku}", warehouse: "{code}", onHand: {on_hand} }}' for code in WAREHOUSES)
            demo.ask(
                f"mutation {{ setStock(input: {{ counts: [{rows}] }}) {{ userErrors {{ code }} }} }}", demo.headers
            )
            if ended.wait(0.2):
                return

    counting = threading.Thread(target=count)
    counting.start()
    try:
        yield
    finally:
        ended.set()
        counting.join()


def _first_event(demo: Demo, query: str) -> dict[str, Any]:
    headers = {**demo.headers, "accept": "text/event-stream"}
    with httpx.stream("POST", f"{demo.site}/graphql", json={"query": query}, headers=headers, timeout=PATIENCE) as told:
        (first, *_) = (line for line in _until_data(told))
    body = json.loads(first.removeprefix("data:"))
    assert "errors" not in body, body
    return dict(body["data"])


def _until_data(told: httpx.Response) -> Iterator[str]:
    for line in told.iter_lines():
        if line.startswith("data:") and line != "data: ":
            yield line
            return


def test_all_of_its_queries_are_printed(demo: Demo) -> None:
    assert [" ".join(query.split()) for query in demo.queries] == [
        " ".join(query.split()) for _, query in welcome.TO_TRY
    ]


def test_the_command_that_it_prints_for_the_terminal_runs(demo: Demo) -> None:
    (command,) = re.findall(r"^  (curl .*\n .*)$", demo.told, re.MULTILINE)

    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=PATIENCE, check=True)

    assert [node["sku"] for node in json.loads(done.stdout)["data"]["products"]["nodes"]] == [
        "APRON",
        "BEANIE",
        "BIRD-HOUSE",
    ]


def test_every_product_has_a_picture_and_each_color_its_own(demo: Demo) -> None:
    listing = "{ products(first: 250) { nodes { sku images { url alt } options { values { images { url } } } } } }"

    nodes = demo.ask(listing)["products"]["nodes"]
    of_products = {node["sku"]: node["images"][0]["url"] for node in nodes}
    of_values = {image["url"] for n in nodes for o in n["options"] for v in o["values"] for image in v["images"]}
    with httpx.Client() as http:
        drawn = {url: http.get(url) for url in {*of_products.values(), *of_values}}

    assert len(of_products) == 29
    assert of_products["MUG"] == f"{demo.site}/pictures/mug.svg"
    assert {answer.status_code for answer in drawn.values()} == {200}
    assert {answer.headers["content-type"] for answer in drawn.values()} == {"image/svg+xml"}
    # No two show the same.
    assert len({answer.text for answer in drawn.values()}) == len(drawn)


@pytest.mark.parametrize("name", ["nothing", "mug.gold", "..%2Fwares"])
def test_a_picture_that_there_is_not_is_not_found(demo: Demo, name: str) -> None:
    assert httpx.get(f"{demo.site}/pictures/{name}.svg").status_code == 404
