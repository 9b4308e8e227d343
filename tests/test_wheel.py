"""The wheel is enough: installed outside of the tree it opens the demo, with pictures and pages. Nothing is downloaded."""

import os
import re
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from support.server_processes import free_port

HOME = Path(__file__).parent.parent
PATIENCE = 60


def pip(*arguments: object) -> None:
    """pip without an index, and without this machine's configuration."""
    command = [
        sys.executable,
        "-m",
        "pip",
        "--disable-pip-version-check",
        "--quiet",
        *map(str, arguments),
        "--no-index",
    ]
    env = {**os.environ, "PIP_CONFIG_FILE": os.devnull}
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The commands' directory of an environment that has the wheel, and sees what is installed here besides."""
    directory = tmp_path_factory.mktemp("wheel")
    pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", directory, HOME)
    (wheel,) = directory.glob("gqlstock-*.whl")
    environment = directory / "environment"
    venv.create(environment, symlinks=True)
    pip("--python", environment / "bin" / "python", "install", "--no-deps", wheel)
    (packages,) = environment.glob("lib/python*/site-packages")
    # By this only what lies there is seen; the tree, to which another file there leads, is not.
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    return environment / "bin"


@pytest.fixture
def site(installed: Path, tmp_path: Path) -> Iterator[str]:
    """The demo of the wheel."""
    port = free_port()
    env = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "GQLSTOCK_"))}
    command = [installed / "gqlstock", "demo", "--port", str(port)]
    process = subprocess.Popen(command, cwd=tmp_path, env=env, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        told = "".join(iter(process.stdout.readline, "From a terminal:\n"))
        assert "The demo shop is open." in told
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.communicate(timeout=PATIENCE)


def test_what_runs_is_the_wheel_and_not_the_tree(installed: Path, tmp_path: Path) -> None:
    command = [installed / "python", "-c", "import gqlstock; print(gqlstock.__file__)"]

    told = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True, timeout=PATIENCE).stdout

    assert told.startswith(str(installed.parent))


def test_the_demo_of_the_wheel_has_its_pictures_and_pages(site: str) -> None:
    query = "{ products(first: 250) { nodes { images { url } options { values { images { url } } } } } }"

    with httpx.Client(timeout=PATIENCE) as http:
        listing = http.post(f"{site}/graphql", json={"query": query}).text
        pictures = set(re.findall(r'"url":"([^"]+)"', listing))
        answers = [http.get(url).status_code for url in sorted(pictures)]
        pages = [http.get(f"{site}{path}", headers={"accept": "text/html"}) for path in ("/graphql", "/storefront/")]
        script = http.get(f"{site}/storefront/availability.js")
        of_order = [http.get(f"{site}/storefront/order.{kind}").status_code for kind in ("html", "js")]

    assert len(pictures) > 40
    assert set(answers) == {200}
    assert [(page.status_code, "<html" in page.text) for page in pages] == [(200, True)] * 2
    assert of_order == [200, 200]
    assert (script.status_code, "export function follow" in script.text) == (200, True)
