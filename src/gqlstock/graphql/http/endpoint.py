"""What all transports share: admission, persisted documents, and the context of resolvers."""

from dataclasses import dataclass

from gqlstock.graphql.context import Context, Deployment
from gqlstock.graphql.http.admission import Admission
from gqlstock.graphql.http.callers import Callers
from gqlstock.graphql.http.persisted import Persisted
from gqlstock.graphql.http.requests import OperationRequest
from gqlstock.rules.limits import Limits


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One per process."""

    deployment: Deployment
    callers: Callers
    admission: Admission
    persisted: Persisted
    limits: Limits

    def context(self, host: str | None) -> Context:
        """The context of a request or connection from an address, before its caller is known."""
        return Context(self.deployment, host=host, address=self.admission.address(host))

    async def admit(self, context: Context, authorization: str | None) -> None:
        """Identify the caller. Raises a ``RequestError`` for an unknown token or too many requests."""
        context.caller = await self.admission.admit(authorization, context.host)
        context.authorization = authorization

    def document(self, request: OperationRequest, context: Context) -> str:
        """The text of the document to run. Raises a ``RequestError`` if the caller may not run it."""
        return self.persisted.document(request, authenticated=context.caller.authenticated)
