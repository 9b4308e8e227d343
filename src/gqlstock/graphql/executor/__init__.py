"""A breadth-first GraphQL executor: it executes each field once, for all objects at its place in the response.

It replaces Strawberry's own executor; parsing, validation, extensions, context, permissions and the HTTP and websocket views
stay as they are. It needs Strawberry and graphql-core, and knows nothing of any schema:

    schema = strawberry.Schema(Query, execution_context_class=BreadthFirstExecutor)

Data, key order, and the messages, locations and paths of errors equal graphql-core's, with two differences. Errors are
listed in response order; graphql-core lists those of asynchronous resolvers as they happen. When several fields fail below
one place that becomes null, only the first of them in response order is reported.

A field that needs more than its object's attributes should be a *batch field* (``batch``), which resolves many objects in
one call. A *derived field* (``derived``) is a function of its object alone. Other resolvers are called once per object.

Terms:

- A **column** holds the values of one field for all objects at one place (``columns``). It is ready or awaitable.
- A **plan** (``plan``) is the compiled operation, as data. For each selection and object type it lists the fields in order.
  Each field has a **source**, which provides its values, and a **shape**, which says how to complete them.
- The **planner** (``planner``, with ``sources`` and ``shapes``) makes plans. The **plan cache** (``plan_cache``) keeps them
  with the operation, one for each combination of ``@skip`` and ``@include`` variables.
- An **execution** (``execution``) is a plan with the values of one request.
- **Resolution** (``resolution``) gets a column of values from a source. **Completion** (``completion``, with ``leaves`` and
  ``runtime_types``) turns it into a column of the response and executes the selections below it.
- **Paths** (``paths``) of values are computed only when a resolver or an error needs them.
- A **failed value** (``failures``) marks an error in a column. It propagates up to the nearest nullable place.

Each module imports only those further down: ``breadth_first``, ``completion``, ``resolution``, ``execution``, ``planner``,
``plan``. graphql-core executes operations that are not planned, such as those with ``@defer`` (``ordinary``).
"""

from gqlstock.graphql.executor.batch import batch_field
from gqlstock.graphql.executor.breadth_first import BreadthFirstExecutor
from gqlstock.graphql.executor.derived import derived_field
from gqlstock.graphql.executor.ordinary import OrdinaryExecutor
from gqlstock.graphql.executor.plan_cache import PlanCache

__all__ = ["BreadthFirstExecutor", "OrdinaryExecutor", "PlanCache", "batch_field", "derived_field"]
