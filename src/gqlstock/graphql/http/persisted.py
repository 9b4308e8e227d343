"""Persisted operations: documents by id, and whether the public may run others."""

from collections.abc import Mapping

from gqlstock.graphql.http.requests import OperationRequest, RequestError, document_ids

_NOT_FOUND = "PERSISTED_QUERY_NOT_FOUND"
_NOT_SUPPORTED = "PERSISTED_QUERY_NOT_SUPPORTED"


class Persisted:
    """``documents`` by id. None: there are no persisted operations, and everybody may run any document."""

    def __init__(self, documents: Mapping[str, str] | None) -> None:
        self._documents = documents or {}
        self._texts = frozenset(self._documents.values())
        self._only = documents is not None

    def document(self, request: OperationRequest, *, authenticated: bool) -> str:
        """The text of a request's document. Callers with a token may run any document."""
        if request.query and (authenticated or not self._only or request.query in self._texts):
            return request.query
        ids = document_ids(request)
        for one in ids:
            if one in self._documents:
                return self._documents[one]
        if request.query:
            raise RequestError(403, "Without a token, only persisted operations of the shop are allowed.", "FORBIDDEN")
        if not self._only:
            # Apollo's message: its client then sends the text and stops sending ids.
            raise RequestError(400, "PersistedQueryNotSupported", _NOT_SUPPORTED)
        raise RequestError(404, "PersistedQueryNotFound", _NOT_FOUND)
