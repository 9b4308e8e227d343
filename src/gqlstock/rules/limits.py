"""The limits per request and per address. The edges enforce them."""

from dataclasses import dataclass, replace
from functools import lru_cache

FILTERED_LIST_COST = 1_000
"""The cost, in fields, of a list that must check the visibility of each row on a website."""
COUNT_COST = 2_500
"""The cost of counting all rows of a list, or of a report over all items."""
INPUT_LINE_COST = 10
"""The cost of a line of an input, such as an order line."""

_TOKEN_FACTOR = 10
"""The factor for callers with a token, because integrations read and write everything."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of everything whose size a client controls."""

    body_bytes: int = 1_048_576
    """The maximum size of an HTTP request body, and of a websocket message, which is the same with a token."""
    depth: int = 20
    """The maximum depth of nested fields, with fragments expanded. GraphiQL's introspection query is 15 deep."""
    complexity: int = 50_000
    """The maximum number of fields of an answer, with page sizes multiplied through nested connections."""
    query_seconds: float = 30.0
    """How long a query may run. Mutations are not interrupted."""
    tokens: int = 4_000
    """The maximum number of tokens of a document: words, names, braces."""
    document_length: int = 150_000
    fields: int = 1_000
    """The maximum number of fields of a document, with fragments expanded."""
    aliases: int = 100
    repetitions: int = 4_000
    """The maximum number of pairs of fields that share a response name and are merged in the answer."""
    head_seconds: float = 10.0
    """How long a request's head, its first line and headers, may take to arrive."""
    body_seconds: float = 10.0
    """How long a request's body may take to arrive."""
    init_seconds: float = 10.0
    """How long a websocket may take to authenticate."""
    operations: int = 100
    """The maximum number of concurrent operations per websocket."""
    subscriptions_of_address: int = 200
    """The maximum number of open public subscriptions per address and process."""
    subscriptions: int = 5_000
    """The maximum number of open public subscriptions per process, over all addresses."""
    public_introspection: bool = True

    def of(self, *, authenticated: bool) -> "Limits":
        """The limits for a caller. ``self`` has those for the public."""
        return _widened(self) if authenticated else self


@lru_cache(maxsize=16)
def _widened(limits: Limits) -> Limits:
    larger = {name: getattr(limits, name) * _TOKEN_FACTOR for name in _WIDENED}
    return replace(limits, **larger)


_WIDENED = (
    "body_bytes",
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
    """At most ``most`` per ``seconds``."""

    most: int
    seconds: int


@dataclass(frozen=True, slots=True)
class PublicRate:
    """How many requests an address may send without a token or with an invalid one.

    ``this_machine`` False: requests from this machine are not counted.
    """

    requests: Rate = Rate(600, 60)
    wrong_tokens: Rate = Rate(30, 60)
    questions: Rate = Rate(10, 60)
    """How often it may check whether a quantity of an item can be ordered, because repeated checks reveal hidden stock."""
    this_machine: bool = False


@dataclass(frozen=True, slots=True)
class PublicHolds:
    """The limits of holds without a token, where the public may order. ``active``: per address."""

    minutes: int = 30
    lines: int = 50
    active: int = 20
