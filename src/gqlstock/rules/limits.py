"""The limits of requests and of addresses. The edges enforce them."""

from dataclasses import dataclass, replace
from functools import lru_cache

FILTERED_LIST_COST = 1_000
"""The cost, in fields, of a list that must check each row for visibility on a website."""
COUNT_COST = 2_500
"""The cost of counting all rows of a list, or of a report over all items."""
INPUT_LINE_COST = 10
"""The cost of a line of an input, such as an order line."""

_TOKEN_FACTOR = 10
"""The factor by which limits are higher for a caller with a token, because integrations read and write everything."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of everything that a client can make large."""

    body_bytes: int = 1_048_576
    """Of one HTTP request, and of one message over a websocket."""
    depth: int = 20
    """Of nested fields, with fragments expanded. GraphiQL's introspection query is 15 deep."""
    complexity: int = 50_000
    """Of the fields of an answer, with page sizes multiplied through nested connections."""
    query_seconds: float = 30.0
    """The time that a query may run. Mutations are not interrupted."""
    tokens: int = 4_000
    """Of a document: words, names, braces."""
    document_length: int = 150_000
    fields: int = 1_000
    """Of a document, with fragments expanded."""
    aliases: int = 100
    repetitions: int = 4_000
    """Pairs of fields with one response name at one place, which are merged in the answer."""
    head_seconds: float = 10.0
    """For a request's head to arrive: its first line and its headers."""
    body_seconds: float = 10.0
    """For a request's body to arrive."""
    init_seconds: float = 10.0
    """For a websocket to authenticate."""
    operations: int = 100
    """Running at the same time over one websocket."""
    subscriptions_of_address: int = 200
    """Open at the same time from one address, in one process, for the public."""
    subscriptions: int = 5_000
    """Open at the same time from all addresses, in one process, for the public."""
    public_introspection: bool = True

    def of(self, *, authenticated: bool) -> "Limits":
        """The limits for a caller; the given ones are the public's."""
        return _widened(self) if authenticated else self


@lru_cache(maxsize=16)
def _widened(limits: Limits) -> Limits:
    larger = {name: getattr(limits, name) * _TOKEN_FACTOR for name in _WIDENED}
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
    """At most ``most`` in so many seconds."""

    most: int
    seconds: int


@dataclass(frozen=True, slots=True)
class PublicRate:
    """How many requests an address may send without a token or with a wrong one.

    ``this_machine`` False: requests from this machine are not counted.
    """

    requests: Rate = Rate(600, 60)
    wrong_tokens: Rate = Rate(30, 60)
    questions: Rate = Rate(10, 60)
    """How often it may check whether a quantity of an item can be ordered: by trying, hidden stock can be found."""
    this_machine: bool = False


@dataclass(frozen=True, slots=True)
class PublicHolds:
    """The limits of holds without a token, where the public may order. ``active``: for one address."""

    minutes: int = 30
    lines: int = 50
    active: int = 20
