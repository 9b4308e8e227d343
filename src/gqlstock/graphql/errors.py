"""What callers see when something goes wrong: coded errors, and masked bugs."""

import logging
from collections.abc import Iterable
from typing import Any

from graphql import GraphQLError

from gqlstock import logs
from gqlstock.graphql import outcomes
from gqlstock.rules import refusals
from gqlstock.stock.transaction import CommitUnknown

log = logging.getLogger(__name__)
_COMMIT_UNKNOWN = (
    "It is not known whether the change was made: send it again with the same idempotencyKey, and it is made once. "
    "Without one, look first whether it was made."
)


class CodedError(GraphQLError):
    """An error that callers may see as it is; ``extensions.code`` says what kind it is."""

    code = "BAD_USER_INPUT"

    def __init__(self, message: str) -> None:
        super().__init__(message, extensions={"code": self.code})


class BadUserInput(CodedError):
    code = "BAD_USER_INPUT"


class InvalidCursor(CodedError):
    code = "INVALID_CURSOR"


class Unauthenticated(CodedError):
    code = "UNAUTHENTICATED"


class Forbidden(CodedError):
    code = "FORBIDDEN"


class QueryTooComplex(CodedError):
    code = "QUERY_TOO_COMPLEX"


class OperationNotAllowed(CodedError):
    """The kind of operation is not for the way that it came, such as a mutation by GET."""


class TooSlow(CodedError):
    code = "TIMEOUT"


class Away(CodedError):
    """The database does not answer: nothing is answered from memory either."""

    code = "INTERNAL"

    @classmethod
    def of(cls, error: BaseException) -> "Away":
        return cls(f"{logs.incident(log, 'at validation', error)} The database does not answer: try again later.")


class TooManySubscriptions(CodedError):
    code = "TOO_MANY_REQUESTS"


def masked(errors: Iterable[GraphQLError]) -> list[GraphQLError]:
    """The errors of an answer as callers may see them, each with what became of the mutation that it is a part of."""
    return [_with_outcome(coded(error)) for error in errors]


def unexpected(error: Exception) -> GraphQLError:
    """An exception that ended an operation, as an error of its answer."""
    return error if isinstance(error, GraphQLError) else GraphQLError(str(error), original_error=error)


def without_frames(error: GraphQLError) -> GraphQLError:
    """The error, to be kept: with its tracebacks it would keep frames, and what they have in them, itself perhaps."""
    one: BaseException | None = error
    while one is not None:
        one.__traceback__ = one.__context__ = None
        one = getattr(one, "original_error", None) or one.__cause__
    return error


def coded(error: GraphQLError) -> GraphQLError:
    """The error with a code. What nobody foresaw goes to the log under an id; callers see the id alone."""
    if error.extensions and "code" in error.extensions:
        return error
    cause = error.original_error
    if isinstance(cause, GraphQLError) and cause.extensions and "code" in cause.extensions:
        return _again(error, error.message, dict(cause.extensions))
    if cause is None or isinstance(cause, GraphQLError):
        # The language's own: a syntax error, an unknown field, a value of the wrong kind.
        return _again(error, error.message, {"code": "BAD_USER_INPUT"})
    if isinstance(cause, refusals.Refused):
        return _again(error, str(cause), {"code": "BAD_USER_INPUT"})
    message = logs.incident(log, f"at {error.path}", cause)
    if isinstance(cause, CommitUnknown):
        message = f"{message} {_COMMIT_UNKNOWN}"
    return _again(error, message, {"code": "INTERNAL"})


def _with_outcome(error: GraphQLError) -> GraphQLError:
    """The error, with what became of the mutation that it is a part of."""
    outcome = outcomes.extensions(error.path)
    return _again(error, error.message, {**(error.extensions or {}), **outcome}) if outcome else error


def _again(error: GraphQLError, message: str, extensions: dict[str, Any]) -> GraphQLError:
    return GraphQLError(
        message,
        nodes=error.nodes,
        source=error.source,
        positions=error.positions,
        path=error.path,
        extensions=extensions,
    )
