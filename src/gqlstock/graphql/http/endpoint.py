"""What requests need over every transport: who is let in, which documents are known, and the context of resolvers."""

from dataclasses import dataclass

from gqlstock.graphql.context import Context, Deployment
from gqlstock.graphql.http.admission import Admission
from gqlstock.graphql.http.callers import Callers
from gqlstock.graphql.http.persisted import Persisted
from gqlstock.graphql.http.requests import OperationRequest
from gqlstock.rules.limits import Limits


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One for each process."""

    deployment: Deployment
    callers: Callers
    admission: Admission
    persisted: Persisted
    limits: Limits

    def context(self, host: str | None) -> Context:
        """The context of a request or a connection from that address, whose caller is not known yet."""
        return Context(self.deployment, host=host, address=self.admission.address(host))

    async def admit(self, context: Context, authorization: str | None) -> None:
        """Find the caller; raises a ``RequestError`` for an unknown token, or where requests are too many."""
        context.caller = await self.admission.admit(authorization, context.host)
        context.authorization = authorization

    def document(self, request: OperationRequest, context: Context) -> str:
        """The text of the document that is to run; raises a ``RequestError`` where the caller may not run it."""
        return self.persisted.document(request, authenticated=context.caller.authenticated)
