"""Warehouses, websites and organizations, as cached records. ``present.network`` has what decisions need of them."""

from collections.abc import Collection, Iterable

from gqlstock.rules import skus as spelling
from gqlstock.rules.network import Assignment, Organization, Warehouse, Website
from gqlstock.stock import present
from gqlstock.store import warehouses as rows


async def warehouses(ids: Iterable[int]) -> dict[int, Warehouse]:
    return await present.under_settings("warehouse", ids, rows.warehouses)


async def warehouses_by_code(codes: Collection[str]) -> dict[str, Warehouse]:
    """Warehouses by the given codes, which may have any spelling."""
    network = await present.network()
    ids = {code: found for code in codes if (found := network.warehouse_id(code)) is not None}
    known = await warehouses(ids.values())
    return {code: known[warehouse_id] for code, warehouse_id in ids.items()}


async def warehouse(code: str) -> Warehouse | None:
    return (await warehouses_by_code([code])).get(code)


async def websites(ids: Iterable[int]) -> dict[int, Website]:
    return await present.under_settings("website", ids, rows.websites)


async def website(code: str) -> Website | None:
    channel = (await present.network()).find(code)
    return None if channel is None else (await websites([channel.id]))[channel.id]


async def websites_of(organization_ids: Iterable[int]) -> dict[int, list[Website]]:
    """The websites of each organization, oldest first."""
    return await present.under_settings("websites of", organization_ids, rows.websites_of)


async def organizations(ids: Iterable[int]) -> dict[int, Organization]:
    return await present.under_settings("organization", ids, rows.organizations)


async def organization(code: str) -> Organization | None:
    async def load(codes: Collection[str]) -> dict[str, Organization]:
        found = {code: await rows.organization(code) for code in codes}
        return {code: one for code, one in found.items() if one is not None}

    stored = spelling.normalized(code)
    return (await present.under_settings("organization code", [stored], load)).get(stored)


async def assignments_of_websites(ids: Iterable[int]) -> dict[int, list[Assignment]]:
    """The warehouses assigned directly to each website, by priority."""
    return await present.under_settings(
        "website assignments", ids, lambda missing: rows.assignments("website_id", missing)
    )


async def assignments_of_organizations(ids: Iterable[int]) -> dict[int, list[Assignment]]:
    """The warehouses assigned to each organization, by priority."""
    return await present.under_settings(
        "organization assignments", ids, lambda missing: rows.assignments("organization_id", missing)
    )
