"""Controls Chromium through browser.mjs: performs user actions on a page, and reads what it shows."""

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


def is_installed() -> bool:
    """Whether node, the driver packages and Chromium are installed."""
    packages = [CLIENTS / "node_modules" / name for name in ("axe-core", "playwright-core")]
    return bool(shutil.which("node")) and all(path.is_dir() for path in packages) and bool(shutil.which(CHROMIUM))


needs_chromium = pytest.mark.skipif(
    "CI" not in os.environ and not is_installed(), reason="needs Chromium, node, and npm ci in tests/clients"
)


class Failed(Exception):
    """A call of browser.mjs failed."""


class Browser:
    """Calls block. If a server in this process must respond meanwhile, call it from another thread."""

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
        """Call a function of browser.mjs, and return its result."""
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
    """The accessibility problems in the light and dark color scheme at the widths of a desktop, tablet and phone.

    A page that is wider than the screen counts as a problem, too."""
    found = {}
    for scheme in ("light", "dark"):
        for width, height in (DESKTOP, TABLET, PHONE):
            browser("emulate", {"colorScheme": scheme})
            browser("size", width, height)
            wide = browser("evaluate", "document.documentElement.scrollWidth > innerWidth")
            found[f"{scheme}, {width} wide"] = browser("barriers") + (["it scrolls sideways"] if wide else [])
    return {name: problems for name, problems in found.items() if problems}
