"""The ordinary executor, graphql-core's as Strawberry uses it: what it remembers of one event of a subscription ends with it.

It keeps the subfields that it has collected, by lists that are made anew for each event, in a memory that all events of
a subscription share: 2 KB more with each, for as long as the subscription lasts.
"""

from typing import Any

from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext


class OrdinaryExecutor(StrawberryGraphQLCoreExecutionContext):
    @classmethod
    def build(cls, *given: Any, **named: Any) -> Any:
        """Whoever gets a variable wrong is not told the names that would have been right."""
        return super().build(*given, **{**named, "hide_suggestions": True})

    def build_per_event_executor(self, payload: Any) -> Any:
        executor = super().build_per_event_executor(payload)
        executor._relevant_sub_fields = {}
        return executor
