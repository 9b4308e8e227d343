"""What a file of persisted operations says: documents by id, each of which can be read."""

from graphql import GraphQLError, parse


def documents(given: object) -> dict[str, str]:
    """Documents by id: an object of them, as Relay and GraphQL Code Generator write it, or Apollo's manifest.

    Raises ValueError with what is wrong, as the end of a sentence.
    """
    if not isinstance(given, dict):
        raise ValueError("it must be an object of documents by id")
    found = _of_manifest(given["operations"]) if isinstance(given.get("operations"), list) else given
    if not found:
        raise ValueError("it has no documents")
    for id, text in found.items():
        if not isinstance(text, str):
            raise ValueError(f"what is called {id[:80]!r} is no document")
        try:
            parse(text)
        except GraphQLError as error:
            raise ValueError(f"the document {id[:80]!r} cannot be read: {error.message.rstrip('.')}") from None
    return found


def _of_manifest(operations: list[object]) -> dict[str, str]:
    try:
        return {one["id"]: one["body"] for one in operations}  # type: ignore[index]
    except (TypeError, KeyError):
        raise ValueError("each of its operations must have an id and a body") from None
