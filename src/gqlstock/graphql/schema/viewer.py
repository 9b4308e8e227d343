"""The caller in the schema."""

from collections.abc import Sequence

import strawberry

from gqlstock.graphql import access
from gqlstock.graphql.context import Info
from gqlstock.graphql.relay import batch
from gqlstock.rules.scopes import Caller
from gqlstock.stock import network


async def _warehouses_of_viewer(parents: Sequence["Viewer"], info: Info) -> list[list[str] | None]:
    known = await network.warehouses({one for parent in parents for one in parent.caller.warehouses or ()})
    return [
        None if parent.caller.warehouses is None else sorted(known[one].code for one in parent.caller.warehouses)
        for parent in parents
    ]


@strawberry.type(description="The caller and its rights.")
class Viewer:
    caller: strawberry.Private[Caller]
    name: str | None = strawberry.field(description="The token's name. Null without a token.")
    authenticated: bool = strawberry.field(description="Whether the request has a valid token.")
    scopes: list[str] = strawberry.field(description="The token's scopes.")
    warehouses: list[str] | None = batch.field(
        _warehouses_of_viewer,
        description="The codes of the warehouses to which the token is limited. Null: all warehouses.",
    )


@strawberry.type
class ViewerQueries:
    @access.field(description="The caller and its rights. [public]")
    async def viewer(self, info: Info) -> Viewer:
        caller = info.context.caller
        scopes = sorted(scope.value for scope in caller.scopes)
        return Viewer(
            caller=caller,
            name=caller.name if caller.authenticated else None,
            authenticated=caller.authenticated,
            scopes=scopes,
        )
