"""Server-sent events, as the graphql-sse protocol has them in its distinct connections mode: whether a client wants them.

They are chosen where Accept prefers ``text/event-stream`` to JSON, by its q-values and then by its order: clients such
as urql name it behind JSON for queries that they want answered as JSON.
"""

from strawberry.http.streaming import SSETransport

_STREAM = "text/event-stream"
_JSON = ("application/graphql-response+json", "application/json", "application/*", "*/*")


class ServerSentEvents(SSETransport):
    def accepts(self, accept: str) -> bool:
        ranked = _ranked(accept)
        stream = ranked.get(_STREAM)
        return stream is not None and all(ranked[name] > stream for name in _JSON if name in ranked)


def _ranked(accept: str) -> dict[str, tuple[float, int]]:
    """The media types that a client takes, each with its place: the smaller comes first."""
    ranked: dict[str, tuple[float, int]] = {}
    for number, part in enumerate(accept.split(",")):
        name, *parameters = (piece.strip().lower() for piece in part.split(";"))
        quality = _quality(parameters)
        if quality > 0:
            ranked.setdefault(name, (-quality, number))
    return ranked


def _quality(parameters: list[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return min(max(float(value), 0.0), 1.0)
            except ValueError:
                return 0.0
    return 1.0
