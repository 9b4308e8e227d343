"""The ordinary executor, graphql-core's as Strawberry uses it: what it remembers ends with it.

It is freed with its operation, with no reference cycle that would keep the operation's rows until they are collected.

graphql-core's keeps the subfields that it has collected, by lists that are made anew for each event, in a memory that
all events of a subscription share: 2 KB more with each, for as long as the subscription lasts.
"""

from typing import Any

from graphql import GraphQLResolveInfoHelpers
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext


class OrdinaryExecutor(StrawberryGraphQLCoreExecutionContext):
    @classmethod
    def build(cls, *given: Any, **named: Any) -> Any:
        """Whoever gets a variable wrong is not told the names that would have been right."""
        return super().build(*given, **{**named, "hide_suggestions": True})

    @property
    def async_helpers(self) -> GraphQLResolveInfoHelpers:
        """Made for each who asks: kept, its methods would keep the executor."""
        return GraphQLResolveInfoHelpers(self.gather_async_work, self.track_async_work)

    @async_helpers.setter
    def async_helpers(self, made: GraphQLResolveInfoHelpers) -> None:
        pass

    def build_per_event_executor(self, payload: Any) -> Any:
        executor = super().build_per_event_executor(payload)
        executor._relevant_sub_fields = {}
        return executor
