"""Creates and changes organizations, websites and warehouses."""

import contextlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from gqlstock.rules import catalog, geo, refusals, skus
from gqlstock.rules.events import ANY_SETTING
from gqlstock.rules.geo import Point
from gqlstock.rules.ids import UNSTORED
from gqlstock.rules.network import MAX_WAREHOUSES, Assignment, Organization, Warehouse, Website
from gqlstock.rules.refusals import Refused, invalid
from gqlstock.rules.settings import camel
from gqlstock.store import outbox, reassessments
from gqlstock.store import warehouses as rows
from gqlstock.store.db import clock, tables, transactions

DEFAULT_ORGANIZATION = "default"
_MAX_PRIORITY = 2**31 - 1

Changes = Mapping[str, Any]
"""Requested changes by field name. Omitted fields stay unchanged; None clears a field."""


@dataclass(frozen=True, slots=True)
class AssignedWarehouse:
    """A warehouse to sell from. ``priority`` None: its position in the list."""

    warehouse: str
    priority: int | None = None


async def create_organization(code: str, name: str, warehouses: Sequence[AssignedWarehouse] = ()) -> int:
    """Create an organization. Returns its id."""

    async def work() -> int:
        free = await _free_code("organization", rows.organization, code)
        new = Organization(UNSTORED, free, catalog.text(name, "name", "name"), clock.now())
        (new_id,) = await tables.insert(Organization, [new])
        await _assign("organization_id", new_id, warehouses)
        await outbox.add([ANY_SETTING])
        return new_id

    return await transactions.run(work)


async def update_organization(code: str, changes: Changes) -> int:
    """Change the given fields of an organization; ``warehouses`` replaces all of them. Returns its id."""

    async def work() -> int:
        found = await _organization(code, "code")
        if changes.get("name") is not None:
            after = replace(found, name=catalog.text(changes["name"], "name", "name"))
            await tables.update(Organization, [(found, after)])
        if "warehouses" in changes:
            await _assign("organization_id", found.id, changes["warehouses"] or ())
            await reassessments.add_everything()
        await outbox.add([ANY_SETTING])
        return found.id

    return await transactions.run(work)


async def create_website(
    code: str, name: str, organization: str | None = None, warehouses: Sequence[AssignedWarehouse] = ()
) -> int:
    """Create a website, by default in the default organization. Returns its id."""

    async def work() -> int:
        owner = await _organization(DEFAULT_ORGANIZATION if organization is None else organization, "organization")
        free = await _free_code("website", rows.website, code)
        new = Website(UNSTORED, free, catalog.text(name, "name", "name"), owner.id, clock.now())
        (new_id,) = await tables.insert(Website, [new])
        await _assign("website_id", new_id, warehouses)
        await outbox.add([ANY_SETTING])
        await reassessments.add_everything()
        return new_id

    return await transactions.run(work)


async def update_website(code: str, changes: Changes) -> int:
    """Change the given fields of a website; ``warehouses`` replaces all of them. Returns its id."""

    async def work() -> int:
        found = await rows.website(code)
        if found is None:
            raise refusals.missing("website", code, "code")
        after = found
        if changes.get("name") is not None:
            after = replace(after, name=catalog.text(changes["name"], "name", "name"))
        if changes.get("organization") is not None:
            owner = await _organization(changes["organization"], "organization")
            after = replace(after, organization_id=owner.id)
        await tables.update(Website, [(found, after)])
        if "warehouses" in changes:
            await _assign("website_id", found.id, changes["warehouses"] or ())
        await outbox.add([ANY_SETTING])
        if "warehouses" in changes or changes.get("organization") is not None:
            await reassessments.add_everything()
        return found.id

    return await transactions.run(work)


async def create_warehouse(changes: Changes) -> int:
    """Create a warehouse from ``code``, ``name`` and the other given fields. Returns its id."""

    async def work() -> int:
        free, now = await _free_code("warehouse", rows.warehouse, changes["code"]), clock.now()
        new = Warehouse(UNSTORED, free, "", None, None, None, active=True, created_at=now, updated_at=now)
        (new_id,) = await tables.insert(Warehouse, [_changed(new, changes)])
        await outbox.add([ANY_SETTING])
        return new_id

    return await transactions.run(work)


async def update_warehouse(code: str, changes: Changes) -> int:
    """Change the given fields of a warehouse. Activating or deactivating it changes the availability of its items."""

    async def work() -> int:
        found = await rows.warehouse(code)
        if found is None:
            raise refusals.missing("warehouse", code, "code")
        after = replace(_changed(found, changes), updated_at=clock.now())
        await tables.update(Warehouse, [(found, after)])
        await outbox.add([ANY_SETTING])
        if after.active != found.active:
            await reassessments.add_everything()
        return found.id

    return await transactions.run(work)


def _changed(warehouse: Warehouse, changes: Changes) -> Warehouse:
    """A warehouse with the given fields, checked."""
    values: dict[str, Any] = {}
    if changes.get("name") is not None:
        values["name"] = catalog.text(changes["name"], "name", "name")
    if "address" in changes:
        values["address"] = _address(changes["address"])
    if "location" in changes:
        point: Point | None = changes["location"]
        if point is not None:
            geo.point(point.latitude, point.longitude, "location")
        values |= {"latitude": point.latitude if point else None, "longitude": point.longitude if point else None}
    if changes.get("active") is not None:
        values["active"] = changes["active"]
    return replace(warehouse, **values)


def _address(address: Mapping[str, str | None] | None) -> dict[str, str | None] | None:
    if address is None:
        return None
    return {line: catalog.optional_text(value, "address", "address", camel(line)) for line, value in address.items()}


async def _organization(code: str, at: str) -> Organization:
    found = await rows.organization(code)
    if found is None:
        raise refusals.missing("organization", code, at)
    return found


async def _free_code(kind: str, find: Callable[[str], Awaitable[object | None]], code: str) -> str:
    checked = catalog.text(skus.normalized(code), "code", "code")
    if await find(checked) is not None:
        raise refusals.taken(kind, checked, "code")
    return checked


async def _assign(owner: str, owner_id: int, assigned: Sequence[AssignedWarehouse]) -> None:
    """Replace the warehouses that a website or an organization sells from."""
    if len(assigned) > MAX_WAREHOUSES:
        raise refusals.too_many("warehouses", len(assigned), MAX_WAREHOUSES, "warehouses")
    known = await rows.warehouses_by_code({one.warehouse for one in assigned})
    assignments = []
    for number, one in enumerate(assigned):
        if one.warehouse not in known:
            raise refusals.missing("warehouse", one.warehouse, "warehouses", number, "warehouse")
        if any(known[other.warehouse] == known[one.warehouse] for other in assigned[:number]):
            raise invalid(f"{one.warehouse} is listed twice.", "warehouses", number, "warehouse")
        priority = number if one.priority is None else one.priority
        if abs(priority) > _MAX_PRIORITY:
            raise invalid(f"{priority} is out of range for a priority.", "warehouses", number, "priority")
        assigned_to = {"website_id": None, "organization_id": None, owner: owner_id}
        assignments.append(Assignment(UNSTORED, **assigned_to, warehouse_id=known[one.warehouse].id, priority=priority))
    await rows.replace_assignments(owner, owner_id, assignments)


async def ensure_default_organization() -> None:
    """Create the organization of websites that name none, unless it exists."""
    # Not checked first: several processes may migrate at once, and another one create it in between.
    with contextlib.suppress(Refused):
        await create_organization(DEFAULT_ORGANIZATION, "Default organization")
