"""graphql-core's executor as Strawberry uses it, without two memory leaks.

It is freed with its operation: no reference cycle keeps the operation's rows until garbage collection. It keeps collected
subfields for one event only; graphql-core keeps them for all events of a subscription, 2 KB more with each.
"""

from typing import Any

from graphql import GraphQLResolveInfoHelpers
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext


class OrdinaryExecutor(StrawberryGraphQLCoreExecutionContext):
    @classmethod
    def build(cls, *given: Any, **named: Any) -> Any:
        """Build it without name suggestions in errors of variables, which would reveal a hidden schema."""
        return super().build(*given, **{**named, "hide_suggestions": True})

    @property
    def async_helpers(self) -> GraphQLResolveInfoHelpers:
        """New each time: a kept one would keep the executor alive through its methods."""
        return GraphQLResolveInfoHelpers(self.gather_async_work, self.track_async_work)

    @async_helpers.setter
    def async_helpers(self, made: GraphQLResolveInfoHelpers) -> None:
        pass

    def build_per_event_executor(self, payload: Any) -> Any:
        executor = super().build_per_event_executor(payload)
        executor._relevant_sub_fields = {}
        return executor
