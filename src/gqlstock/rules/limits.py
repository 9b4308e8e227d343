"""What one request may cost, and how often one address may come: the figures, and the errors' names for them."""

from dataclasses import dataclass, replace
from functools import lru_cache

LISTED = 1_000
"""What a list costs, in fields, that passes over rows: which ones a website shows is worked out row by row."""
COUNTED = 2_500
"""The cost of counting all rows of a list, or of a report over all items."""
LINE_ENTERED = 10
"""What a line of an input costs, such as that of an order."""

_TRUST = 10
"""How many times larger an operation may be for a caller with a token: integrators read and write all there is."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The most that is taken of everything that a stranger can make large."""

    body_bytes: int = 1_048_576
    """Of one HTTP request, and of one message over a websocket."""
    depth: int = 20
    """Of fields below fields, fragments written out. What GraphiQL asks of the schema is 15 deep."""
    complexity: int = 50_000
    """Of the fields that an answer to the public may come to, page sizes multiplied through nested connections."""
    query_seconds: float = 30.0
    """That a query may run. Mutations are not cut in half."""
    tokens: int = 4_000
    """Of a document: words, names, braces."""
    document_length: int = 150_000
    fields: int = 1_000
    """Of a document, fragments written out wherever they are spread."""
    aliases: int = 100
    repetitions: int = 4_000
    """Pairs of fields that have one name in one place, and are one in the answer."""
    head_seconds: float = 10.0
    """For a request's head to arrive: its first line and its headers."""
    body_seconds: float = 10.0
    """For a request's body to arrive."""
    init_seconds: float = 10.0
    """For a websocket to say who it is."""
    operations: int = 100
    """Under way at once over one websocket."""
    subscriptions_of_address: int = 200
    """That last at once of one address, in one process, for the public."""
    subscriptions: int = 5_000
    """That last at once of all addresses, in one process, for the public."""
    public_introspection: bool = True

    def of(self, *, authenticated: bool) -> "Limits":
        """The limits for a caller: these are the public's."""
        return _widened(self) if authenticated else self


@lru_cache(maxsize=16)
def _widened(limits: Limits) -> Limits:
    larger = {name: getattr(limits, name) * _TRUST for name in _WIDENED}
    return replace(limits, **larger)


_WIDENED = (
    "complexity",
    "tokens",
    "document_length",
    "fields",
    "aliases",
    "subscriptions_of_address",
    "subscriptions",
)


@dataclass(frozen=True, slots=True)
class Rate:
    """So many in so many seconds."""

    most: int
    seconds: int


@dataclass(frozen=True, slots=True)
class PublicRate:
    """How often an address may come without a token, and how often with a wrong one. ``this_machine`` False: requests
    that come from here are not counted."""

    requests: Rate = Rate(600, 60)
    wrong_tokens: Rate = Rate(30, 60)
    questions: Rate = Rate(10, 60)
    """How often it may ask whether so many units of one item can be ordered: by trying, hidden stock is found."""
    this_machine: bool = False


@dataclass(frozen=True, slots=True)
class PublicHolds:
    """What a hold without a token may be where the public may order, and how many of them one address may have."""

    minutes: int = 30
    lines: int = 50
    active: int = 20
