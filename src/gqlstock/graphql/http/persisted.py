"""Persisted operations: documents that are known by an id, and whether the public may run any others."""

from collections.abc import Mapping

from gqlstock.graphql.http.requests import OperationRequest, RequestError, document_ids

_NOT_FOUND = "PERSISTED_QUERY_NOT_FOUND"
_NOT_SUPPORTED = "PERSISTED_QUERY_NOT_SUPPORTED"


class Persisted:
    """``documents`` by their ids; None: nothing was persisted, and everybody may run anything."""

    def __init__(self, documents: Mapping[str, str] | None) -> None:
        self._documents = documents or {}
        self._texts = frozenset(self._documents.values())
        self._only = documents is not None

    def document(self, request: OperationRequest, *, authenticated: bool) -> str:
        """The text that a request wants run. Callers with a token may send any."""
        if request.query and (authenticated or not self._only or request.query in self._texts):
            return request.query
        ids = document_ids(request)
        for one in ids:
            if one in self._documents:
                return self._documents[one]
        if request.query:
            raise RequestError(
                403, "Without a token only the operations that the shop has persisted can be run.", "FORBIDDEN"
            )
        if not self._only:
            # In Apollo's words: its client sends the text then, and no id any more.
            raise RequestError(400, "PersistedQueryNotSupported", _NOT_SUPPORTED)
        raise RequestError(404, "PersistedQueryNotFound", _NOT_FOUND)
