"""Parses documents into trees without reference cycles, which are freed as soon as they are dropped.

graphql-core links all tokens of a document in both directions, and each node to two of them, so only garbage collection
frees them. Here, nodes know their source, start and end, which is all that errors need for line and column.
"""

from graphql import DocumentNode, Lexer, Location, Source, Token
from graphql.language.parser import Parser


def parse(text: str, *, max_tokens: int) -> tuple[DocumentNode, int]:
    """The document of a text, and its number of nodes. Raises GraphQL's syntax errors.

    ``max_tokens`` limits the tokens, and separately the comments.
    """
    source = Source(text)
    lexer = Lexer(source)
    first = lexer.token
    try:
        parser = _Parser(source, lexer=lexer, max_lexical_tokens=max_tokens, max_comments=max_tokens)
        return parser.parse_document(), parser.nodes
    finally:
        _unlink(first)


class _Parser(Parser):
    nodes = 0
    _last: "_Range | None" = None

    def loc(self, start_token: Token) -> Location:
        """Called for each node. Nodes with equal ranges share one, such as a field without arguments and its name."""
        self.nodes += 1
        start, end, last = start_token.start, self._lexer.last_token.end, self._last
        if last is None or last.start != start or last.end != end:
            last = self._last = _Range(start, end, self._lexer.source)
        return last


class _Range(Location):
    """A location without tokens."""

    __slots__ = ()

    def __init__(self, start: int, end: int, source: Source) -> None:
        self.start = start
        self.end = end
        self.source = source


def _unlink(token: Token | None) -> None:
    while token is not None:
        token.prev, token.next, token = None, None, token.next
