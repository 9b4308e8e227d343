"""Drives a real Chromium through browser.mjs: what a person does with a page, and what they see."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest

CLIENTS = Path(__file__).parent.parent / "clients"
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")


def is_here() -> bool:
    """Whether node, the driver packages and a Chromium are installed."""
    packages = [CLIENTS / "node_modules" / name for name in ("axe-core", "playwright-core")]
    return bool(shutil.which("node")) and all(path.is_dir() for path in packages) and bool(shutil.which(CHROMIUM))


needs_chromium = pytest.mark.skipif(
    "CI" not in os.environ and not is_here(), reason="needs Chromium, node, and npm ci in tests/clients"
)


class Failed(Exception):
    """The browser could not do what it was asked to."""


class Browser:
    """Blocks while the browser works. Call it from a thread if a server of this process must respond meanwhile."""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            ["node", str(CLIENTS / "browser.mjs")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._process.wait()

    def __call__(self, name: str, *given: Any) -> Any:
        """Call browser.mjs, and return the result."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([name, *given]) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        if "error" in answer:
            raise Failed(f"{name}{given}: {answer['error']}")
        return answer["result"]


DESKTOP = (1280, 900)
TABLET = (768, 1024)
PHONE = (360, 740)


def barriers(browser: Browser) -> dict[str, list[object]]:
    """What is found in light and dark, on a desk, a tablet and a phone; and where the page is wider than the screen."""
    found = {}
    for scheme in ("light", "dark"):
        for width, height in (DESKTOP, TABLET, PHONE):
            browser("emulate", {"colorScheme": scheme})
            browser("size", width, height)
            wide = browser("evaluate", "document.documentElement.scrollWidth > innerWidth")
            found[f"{scheme}, {width} wide"] = browser("barriers") + (["it scrolls sideways"] if wide else [])
    return {name: obstacles for name, obstacles in found.items() if obstacles}
