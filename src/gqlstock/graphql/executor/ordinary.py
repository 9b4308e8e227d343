"""graphql-core's executor as Strawberry uses it, without two leaks of memory.

It is freed with its operation: no reference cycle keeps the operation's rows until they are collected. And subfields that it
has collected are kept for one event; graphql-core shares them among all events of a subscription, 2 KB more with each.
"""

from typing import Any

from graphql import GraphQLResolveInfoHelpers
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext


class OrdinaryExecutor(StrawberryGraphQLCoreExecutionContext):
    @classmethod
    def build(cls, *given: Any, **named: Any) -> Any:
        """Errors of variables do not suggest names: the public is not to learn them that way."""
        return super().build(*given, **{**named, "hide_suggestions": True})

    @property
    def async_helpers(self) -> GraphQLResolveInfoHelpers:
        """New each time: if it were kept, its methods would keep the executor."""
        return GraphQLResolveInfoHelpers(self.gather_async_work, self.track_async_work)

    @async_helpers.setter
    def async_helpers(self, made: GraphQLResolveInfoHelpers) -> None:
        pass

    def build_per_event_executor(self, payload: Any) -> Any:
        executor = super().build_per_event_executor(payload)
        executor._relevant_sub_fields = {}
        return executor
