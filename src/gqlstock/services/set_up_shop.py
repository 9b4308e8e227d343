"""Creates what a new shop needs to sell: a warehouse, a website that sells from it, and an admin token."""

from dataclasses import dataclass

from gqlstock.rules import catalog, refusals, skus
from gqlstock.rules.network import selling_warehouses
from gqlstock.rules.scopes import Scope
from gqlstock.services import tokens, warehouses
from gqlstock.services.warehouses import AssignedWarehouse
from gqlstock.store import tokens as token_rows
from gqlstock.store import warehouses as rows
from gqlstock.store.db import transactions


@dataclass(frozen=True, slots=True)
class ShopSetup:
    """``lines`` report what was created and what existed. ``token``: the new admin token; None if there ever was one."""

    lines: tuple[str, ...]
    token: str | None


async def set_up(
    warehouse: str,
    website: str,
    *,
    warehouse_name: str | None = None,
    website_name: str | None = None,
    token_name: str = "admin",
) -> ShopSetup:
    """Create what is missing and change nothing that exists. Names default to the codes.

    Raises ``Refused`` if the website exists and does not sell from the warehouse. A token is created only if no token ever
    had the scope admin, so that revoking the last one does not lead to a new one.
    """
    warehouse = catalog.text(skus.normalized(warehouse), "code", "warehouse")
    website = catalog.text(skus.normalized(website), "code", "website")

    async def work() -> ShopSetup:
        await warehouses.ensure_default_organization()
        first = await _warehouse(warehouse, warehouse_name)
        second = await _website(website, website_name, warehouse)
        third, token = await _token(token_name)
        return ShopSetup((first, second, third), token)

    return await transactions.run(work)


async def _warehouse(code: str, name: str | None) -> str:
    found = await rows.warehouse(code)
    if found is None:
        await warehouses.create_warehouse({"code": code, "name": name or code})
        return f"Warehouse {code}: created."
    return f"Warehouse {code}: already exists, {found.name}{'' if found.active else ', inactive: nothing is sold from it'}."


async def _website(code: str, name: str | None, warehouse: str) -> str:
    found = await rows.website(code)
    if found is None:
        await warehouses.create_website(code, name or code, warehouses=[AssignedWarehouse(warehouse)])
        return f"Website {code}: created, sells from {warehouse}."
    own = (await rows.assignments("website_id", [found.id]))[found.id]
    shared = (await rows.assignments("organization_id", [found.organization_id]))[found.organization_id]
    places = await rows.codes_by_id()
    sources = [places[one.warehouse_id] for one in selling_warehouses(own, shared)]
    if warehouse not in sources:
        sells = f"sells from {', '.join(sources)}" if sources else "sells from no warehouse"
        raise refusals.invalid(
            f"The website {code} already exists and {sells}, not from {warehouse}. Nothing was changed. "
            "Use updateWebsite to change its warehouses.",
            "website",
        )
    return f"Website {code}: already exists, {found.name}, sells from {', '.join(sources)}."


async def _token(name: str) -> tuple[str, str | None]:
    known = [token.name for token in await token_rows.all_tokens() if Scope.ADMIN in token.scopes]
    if known:
        another = "Create another with gqlstock token create NAME --scope admin."
        return f"Admin token: none created; existing: {', '.join(known[:3])}. {another}", None
    token = await tokens.create(name, [Scope.ADMIN.value])
    return f"Admin token {name}: created, printed only once.", token
