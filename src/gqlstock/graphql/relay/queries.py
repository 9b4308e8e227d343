"""Any object by its id."""

from typing import Annotated

import strawberry

from gqlstock.graphql import access
from gqlstock.graphql.context import Info
from gqlstock.graphql.errors import BadUserInput
from gqlstock.graphql.relay import nodes
from gqlstock.graphql.relay.nodes import Node


@strawberry.type
class NodeQueries:
    @access.field(description="Any object by its id; null for an id that stands for nothing. Needs its own scope.")
    async def node(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="The object's id.")]
    ) -> Node | None:
        found: list[Node | None] = await nodes.nodes(info, [id])
        return found[0]

    @access.field(description="Objects by their ids, in that order. Needs their own scopes.")
    async def nodes(
        self,
        info: Info,
        ids: Annotated[list[strawberry.ID], strawberry.argument(description=f"At most {nodes.MAX_IDS} ids.")],
    ) -> list[Node | None]:
        if len(ids) > nodes.MAX_IDS:
            raise BadUserInput(f"{len(ids)} ids are too many: at most {nodes.MAX_IDS}.")
        return await nodes.nodes(info, ids)
