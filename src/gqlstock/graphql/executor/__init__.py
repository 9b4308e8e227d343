"""A GraphQL executor that goes breadth first: each field once, for all objects of its place in the response.

It replaces Strawberry's own executor; parsing, validation, extensions, context, permissions and the HTTP and websocket views
stay as they are. It needs Strawberry and graphql-core, and knows nothing of any schema:

    schema = strawberry.Schema(Query, execution_context_class=BreadthFirstExecutor)

Data, the order of keys, and messages, locations and paths of errors are those of graphql-core. Two things differ. Errors are
listed in the order of the response, where graphql-core lists those of asynchronous resolvers as they happen. Where several
fields fail below one place that becomes null, only the first one of the response is reported.

A field that needs more than its object's attributes is fast as a *batch field* (``batch``), which answers for many objects
in one call. A *derived field* (``derived``) is a function of its object alone. Other resolvers are called for each object.

The words that the modules use:

- A **column** is the values of one field for all objects of one place (``columns``); it is there already or is awaited.
- A **plan** (``plan``) is the compiled operation, as data. For each selection and object type it has the fields in order;
  for each field a **source**, which gives its values, and a **shape**, which says what they become.
- The **planner** (``planner``, with ``sources`` and ``shapes``) makes plans. The **plan cache** (``plan_cache``) keeps them
  with the operation, one for each combination of ``@skip`` and ``@include`` variables.
- An **execution** (``execution``) is a plan with the values of one request.
- **Resolution** (``resolution``) gets a column of values from a source. **Completion** (``completion``, with ``leaves`` and
  ``runtime_types``) turns it into a column of the response, and goes on with the selections below it.
- **Paths** (``paths``) of values are computed only when a resolver or an error needs them.
- A **failed value** (``failures``) stands in a column for a value that failed, until the nearest place that may be null.

Each module imports only those further down: ``breadth_first``, ``completion``, ``resolution``, ``execution``, ``planner``,
``plan``. Operations that it does not plan, such as those with ``@defer``, are executed by graphql-core (``ordinary``).
"""

from gqlstock.graphql.executor.batch import batch_field
from gqlstock.graphql.executor.breadth_first import BreadthFirstExecutor
from gqlstock.graphql.executor.derived import derived_field
from gqlstock.graphql.executor.ordinary import OrdinaryExecutor
from gqlstock.graphql.executor.plan_cache import PlanCache

__all__ = ["BreadthFirstExecutor", "OrdinaryExecutor", "PlanCache", "batch_field", "derived_field"]
