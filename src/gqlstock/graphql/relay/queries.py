"""The root fields ``node`` and ``nodes``."""

from typing import Annotated

import strawberry

from gqlstock.graphql import access
from gqlstock.graphql.context import Info
from gqlstock.graphql.errors import BadUserInput
from gqlstock.graphql.relay import nodes
from gqlstock.graphql.relay.nodes import Node


@strawberry.type
class NodeQueries:
    @access.field(description="An object by its id. Null for an unknown id. Needs the scope of the object's type.")
    async def node(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="The object's id.")]
    ) -> Node | None:
        found: list[Node | None] = await nodes.nodes(info, [id])
        return found[0]

    @access.field(
        description="Objects by their ids, in the same order. Null for unknown ids. Needs the scopes of their types."
    )
    async def nodes(
        self,
        info: Info,
        ids: Annotated[list[strawberry.ID], strawberry.argument(description=f"At most {nodes.MAX_IDS} ids.")],
    ) -> list[Node | None]:
        if len(ids) > nodes.MAX_IDS:
            raise BadUserInput(f"Too many ids: {len(ids)} given; at most {nodes.MAX_IDS} allowed.")
        return await nodes.nodes(info, ids)
