"""Negotiates the media type of an answer: by the q-values of the Accept header, then by its order."""

from functools import lru_cache

JSON = "application/json"
RESPONSE = "application/graphql-response+json"
EVENTS = "text/event-stream"
PAGE = "text/html"
_ANSWERS = (RESPONSE, JSON, EVENTS)
_WILD = ("*/*", "application/*")


@lru_cache(maxsize=256)
def answer(accept: str | None) -> str | None:
    """JSON, RESPONSE or EVENTS. None if the client accepts none of them. JSON without an Accept header."""
    if not accept:
        return JSON
    ranked = _ranked(accept)
    refused = {name for name, quality in ranked if quality == 0}
    for name, quality in ranked:
        if quality > 0 and name in _ANSWERS:
            return name
        if quality > 0 and name in _WILD:
            return next((one for one in (JSON, RESPONSE) if one not in refused), None)
    return None


@lru_cache(maxsize=256)
def prefers_page(accept: str | None) -> bool:
    """Whether the client prefers an HTML page, as browsers do."""
    for name, quality in _ranked(accept or ""):
        if quality > 0 and name in (PAGE, *_ANSWERS, *_WILD):
            return name == PAGE
    return False


@lru_cache(maxsize=256)
def content(content_type: str | None) -> tuple[str, str]:
    """The media type and the charset of a request body."""
    name, *parameters = (piece.strip().lower() for piece in (content_type or "").split(";"))
    given = dict(parameter.partition("=")[::2] for parameter in parameters)
    return name, given.get("charset", "utf-8").strip('"')


def _ranked(accept: str) -> list[tuple[str, float]]:
    """The media types with their quality, best first."""
    ranked = []
    for part in accept[:1000].split(","):
        name, *parameters = (piece.strip().lower() for piece in part.split(";"))
        ranked.append((name, _quality(parameters)))
    return sorted(ranked, key=lambda one: -one[1])


def _quality(parameters: list[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                quality = float(value)
            except ValueError:
                return 0.0
            return min(quality, 1.0) if quality > 0 else 0.0
    return 1.0
