"""A GraphQL executor that walks breadth first: each field once, for all objects of that place in the response.

It stands in for Strawberry's own, around which parsing, validation, extensions, context, permissions and the HTTP and
websocket views stay as they are, and knows nothing of any schema:

    schema = strawberry.Schema(Query, execution_context_class=BreadthFirstExecutor)

Data, the order of keys, and messages, locations and paths of errors are those of graphql-core. Errors are listed in
the order of the response, where graphql-core lists those of asynchronous resolvers as they happen; and where several
fields fail below one place that becomes null, the first one of the response is told. A field that needs more than its
object's attributes is fast as a batch field, see ``batch``.
"""

from gqlstock.graphql.executor.batch import batch_field
from gqlstock.graphql.executor.breadth_first import BreadthFirstExecutor
from gqlstock.graphql.executor.derived import derived_field
from gqlstock.graphql.executor.ordinary import OrdinaryExecutor

__all__ = ["BreadthFirstExecutor", "OrdinaryExecutor", "batch_field", "derived_field"]
