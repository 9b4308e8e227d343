"""How one push of a subscription is executed: what graphql-core remembers of it ends with it.

Its executor keeps the subfields that it has collected, by lists that are made anew for each event, in a memory that all
events of a subscription share: 2 KB more with each push, for as long as the connection lasts.
"""

from typing import Any

from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext


class ForgettingExecutor(StrawberryGraphQLCoreExecutionContext):
    def build_per_event_executor(self, payload: Any) -> Any:
        executor = super().build_per_event_executor(payload)
        executor._relevant_sub_fields = {}
        return executor
