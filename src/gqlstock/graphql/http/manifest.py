"""Reads files of persisted operations: documents by id."""

from graphql import GraphQLError, parse


def documents(given: object) -> dict[str, str]:
    """Documents by id, from an object as Relay and GraphQL Code Generator write it, or from Apollo's manifest.

    Raises ValueError. Its message is the second half of a sentence.
    """
    if not isinstance(given, dict):
        raise ValueError("it must be an object of documents by id")
    found = _of_manifest(given["operations"]) if isinstance(given.get("operations"), list) else given
    if not found:
        raise ValueError("it has no documents")
    for id, text in found.items():
        if not isinstance(text, str):
            raise ValueError(f"the value of {id[:80]!r} is not a document")
        try:
            parse(text)
        except GraphQLError as error:
            raise ValueError(f"the document {id[:80]!r} has an error: {error.message.rstrip('.')}") from None
    return found


def _of_manifest(operations: list[object]) -> dict[str, str]:
    try:
        return {one["id"]: one["body"] for one in operations}  # type: ignore[index]
    except (TypeError, KeyError):
        raise ValueError("each of its operations must have an id and a body") from None
