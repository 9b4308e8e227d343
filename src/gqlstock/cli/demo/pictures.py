"""Routes that only the demo serves: a drawing of each product in each of its colors, and the example storefront."""

import re
from collections.abc import Awaitable, Callable
from importlib.resources import files
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.staticfiles import StaticFiles

from gqlstock.cli.demo.wares import COLORS
from gqlstock.rules.catalog import Image

_COLOR = re.compile(r'color="#\w+"')


def image(site: str, drawing: str, color: str | None = None, *, of: str) -> Image:
    """The image of a drawing in a color. ``of`` is its alternative text."""
    name = f"{drawing}.{color.lower()}" if color else drawing
    return Image(f"{site}/pictures/{name}.svg", of)


def serve(application: Starlette) -> None:
    """Add the routes to the application."""
    here = Path(str(files("gqlstock.cli.demo")))
    application.router.routes.append(Route("/pictures/{name}.svg", _pictures(here / "drawings")))
    application.mount("/storefront", StaticFiles(directory=here / "storefront", html=True))


def _pictures(directory: Path) -> Callable[[Request], Awaitable[Response]]:
    drawings = {path.stem: path.read_text(encoding="utf-8") for path in directory.glob("*.svg")}
    tints = {name.lower(): tint for name, tint in COLORS.items()}

    async def picture(request: Request) -> Response:
        drawing, _, color = request.path_params["name"].partition(".")
        text = drawings.get(drawing)
        if text is None or (color and color not in tints):
            return Response(status_code=404)
        if color:
            text = _COLOR.sub(f'color="{tints[color]}"', text, count=1)
        return Response(text, media_type="image/svg+xml", headers={"Cache-Control": "max-age=3600"})

    return picture
