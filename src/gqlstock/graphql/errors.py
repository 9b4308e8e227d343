"""Errors as callers see them: each has a code, and unexpected ones are masked."""

import logging
from collections.abc import Iterable, Sequence
from typing import Any

from graphql import GraphQLError

from gqlstock import logs
from gqlstock.graphql import outcomes
from gqlstock.rules import refusals
from gqlstock.rules.feed import OutOfReach
from gqlstock.services import status
from gqlstock.stock.transaction import CommitUnknown

log = logging.getLogger(__name__)
_COMMIT_UNKNOWN = (
    "It is unknown whether the change was committed. Send it again with the same idempotencyKey; it is applied once. "
    "Without a key, check first whether it was applied."
)


class CodedError(GraphQLError):
    """An error that is shown to callers unchanged. ``extensions.code`` is its kind."""

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
    """The transport does not allow this kind of operation, such as a mutation by GET."""


class TooSlow(CodedError):
    code = "TIMEOUT"


_RETRY_AFTER = "retryAfter"


def away_message(error: BaseException) -> str:
    """The message for callers when the database is away. Cached answers cannot be validated then, and are not sent."""
    message = logs.incident(log, "while the database was away", error, status.outage(error))
    return f"{message} The database is unavailable. Try again later."


def seconds_to_retry(errors: Sequence[GraphQLError]) -> int | None:
    """The seconds after which the operation may be sent again; None if the database is not the cause.

    Also None if a part of the operation was applied, or may have been: another internal error hides that.
    """
    extensions = [error.extensions or {} for error in errors]
    if any(one.get("committed") or (one.get("code") == "INTERNAL" and _RETRY_AFTER not in one) for one in extensions):
        return None
    return next((one[_RETRY_AFTER] for one in extensions if _RETRY_AFTER in one), None)


def of_an_outage(errors: Sequence[GraphQLError] | None) -> list[GraphQLError]:
    """Those of the errors whose cause is that the database was away."""
    return [error for error in errors or () if _RETRY_AFTER in (error.extensions or {})]


class TooManySubscriptions(CodedError):
    code = "TOO_MANY_REQUESTS"


def masked(errors: Iterable[GraphQLError]) -> list[GraphQLError]:
    """The errors of an answer as callers see them, each with the outcome of its mutation."""
    return [_with_outcome(coded(error)) for error in errors]


def unexpected(error: Exception) -> GraphQLError:
    """The GraphQL error for an exception that ended an operation."""
    return error if isinstance(error, GraphQLError) else GraphQLError(str(error), original_error=error)


def without_frames(error: GraphQLError) -> GraphQLError:
    """The error without tracebacks, so that keeping it does not keep stack frames and their objects alive."""
    one: BaseException | None = error
    while one is not None:
        one.__traceback__ = one.__context__ = None
        one = getattr(one, "original_error", None) or one.__cause__
    return error


def coded(error: GraphQLError) -> GraphQLError:
    """The error with a code. Unexpected errors are logged under an id, and callers see only the id."""
    if error.extensions and "code" in error.extensions:
        return error
    cause = error.original_error
    if isinstance(cause, GraphQLError) and cause.extensions and "code" in cause.extensions:
        return _again(error, error.message, dict(cause.extensions))
    if cause is None or isinstance(cause, GraphQLError):
        # An error of GraphQL itself: a syntax error, an unknown field, a value of the wrong type.
        return _again(error, error.message, {"code": "BAD_USER_INPUT"})
    if isinstance(cause, refusals.Refused):
        return _again(error, str(cause), {"code": "BAD_USER_INPUT"})
    if isinstance(cause, OutOfReach):
        return _again(error, str(cause), {"code": InvalidCursor.code})
    if status.is_away(cause):
        return _again(error, away_message(cause), {"code": "INTERNAL", _RETRY_AFTER: status.SECONDS_TO_RETRY})
    message = logs.incident(log, f"at {error.path}", cause)
    if isinstance(cause, CommitUnknown):
        message = f"{message} {_COMMIT_UNKNOWN}"
    return _again(error, message, {"code": "INTERNAL"})


def _with_outcome(error: GraphQLError) -> GraphQLError:
    """The error with the outcome of its mutation in the extensions."""
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
