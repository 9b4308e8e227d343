"""Server-sent events, as the graphql-sse protocol has them in its distinct connections mode: for who prefers them to JSON.

Clients such as urql name them behind JSON for queries that they want answered as JSON.
"""

from strawberry.http.streaming import SSETransport

from gqlstock.graphql import media_types


class ServerSentEvents(SSETransport):
    def accepts(self, accept: str) -> bool:
        return media_types.answer(accept) == media_types.EVENTS

    def encode_event(self, event: str, data: str | None = None) -> str:
        # urql takes no other end of a line, though all three are allowed.
        return super().encode_event(event, data).replace("\r\n", "\n")

    def encode_comment(self, comment: str) -> str:
        return super().encode_comment(comment).replace("\r\n", "\n")
