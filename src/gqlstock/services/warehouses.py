"""Organizations, websites and warehouses: made and changed."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from gqlstock.rules import catalog, geo, refusals, skus
from gqlstock.rules.events import ANY_SETTING
from gqlstock.rules.geo import Point
from gqlstock.rules.ids import UNSTORED
from gqlstock.rules.network import Assignment, Organization, Warehouse, Website
from gqlstock.rules.refusals import invalid
from gqlstock.rules.settings import camel
from gqlstock.store import outbox, reassessments
from gqlstock.store import warehouses as rows
from gqlstock.store.db import clock, tables, transactions

DEFAULT_ORGANIZATION = "default"
_LARGEST_PRIORITY = 2**31 - 1

Changes = Mapping[str, Any]
"""What a caller wants changed, by name; what is left out stays, None empties."""


@dataclass(frozen=True, slots=True)
class Assigned:
    """A warehouse to sell from; without a priority its place in the list counts."""

    warehouse: str
    priority: int | None = None


async def create_organization(code: str, name: str, warehouses: Sequence[Assigned] = ()) -> int:
    """Make an organization. Answers its id."""

    async def work() -> int:
        free = await _free_code("organization", rows.organization, code)
        made = Organization(UNSTORED, free, catalog.text(name, "name", "name"), clock.now())
        (made_id,) = await tables.insert(Organization, [made])
        await _assign("organization_id", made_id, warehouses)
        return made_id

    return await transactions.run(work)


async def update_organization(code: str, given: Changes) -> int:
    """Change what is given of an organization; ``warehouses`` replaces them all. Answers its id."""

    async def work() -> int:
        found = await _organization(code, "code")
        if given.get("name") is not None:
            after = replace(found, name=catalog.text(given["name"], "name", "name"))
            await tables.update(Organization, [(found, after)])
        if "warehouses" in given:
            await _assign("organization_id", found.id, given["warehouses"] or ())
            await outbox.add([ANY_SETTING])
            await reassessments.add_everything()
        return found.id

    return await transactions.run(work)


async def create_website(
    code: str, name: str, organization: str | None = None, warehouses: Sequence[Assigned] = ()
) -> int:
    """Make a website, of the default organization if none is named. Answers its id."""

    async def work() -> int:
        owner = await _organization(DEFAULT_ORGANIZATION if organization is None else organization, "organization")
        free = await _free_code("website", rows.website, code)
        made = Website(UNSTORED, free, catalog.text(name, "name", "name"), owner.id, clock.now())
        (made_id,) = await tables.insert(Website, [made])
        await _assign("website_id", made_id, warehouses)
        await outbox.add([ANY_SETTING])
        await reassessments.add_everything()
        return made_id

    return await transactions.run(work)


async def update_website(code: str, given: Changes) -> int:
    """Change what is given of a website; ``warehouses`` replaces them all. Answers its id."""

    async def work() -> int:
        found = await rows.website(code)
        if found is None:
            raise refusals.missing("website", code, "code")
        after = found
        if given.get("name") is not None:
            after = replace(after, name=catalog.text(given["name"], "name", "name"))
        if given.get("organization") is not None:
            owner = await _organization(given["organization"], "organization")
            after = replace(after, organization_id=owner.id)
        await tables.update(Website, [(found, after)])
        if "warehouses" in given:
            await _assign("website_id", found.id, given["warehouses"] or ())
        await outbox.add([ANY_SETTING])
        if "warehouses" in given or given.get("organization") is not None:
            await reassessments.add_everything()
        return found.id

    return await transactions.run(work)


async def create_warehouse(given: Changes) -> int:
    """Make a warehouse of ``code``, ``name`` and whatever else is given. Answers its id."""

    async def work() -> int:
        free, at = await _free_code("warehouse", rows.warehouse, given["code"]), clock.now()
        made = Warehouse(UNSTORED, free, "", None, None, None, active=True, created_at=at, updated_at=at)
        (made_id,) = await tables.insert(Warehouse, [_changed(made, given)])
        return made_id

    return await transactions.run(work)


async def update_warehouse(code: str, given: Changes) -> int:
    """Change what is given of a warehouse. Taking it in or out of use is a change of what its items have available."""

    async def work() -> int:
        found = await rows.warehouse(code)
        if found is None:
            raise refusals.missing("warehouse", code, "code")
        after = replace(_changed(found, given), updated_at=clock.now())
        await tables.update(Warehouse, [(found, after)])
        await outbox.add([ANY_SETTING])
        if after.active != found.active:
            await reassessments.add_everything()
        return found.id

    return await transactions.run(work)


def _changed(warehouse: Warehouse, given: Changes) -> Warehouse:
    """A warehouse with what is given, each thing checked."""
    changes: dict[str, Any] = {}
    if given.get("name") is not None:
        changes["name"] = catalog.text(given["name"], "name", "name")
    if "address" in given:
        changes["address"] = _address(given["address"])
    if "location" in given:
        place: Point | None = given["location"]
        if place is not None:
            geo.point(place.latitude, place.longitude, "location")
        changes |= {"latitude": place.latitude if place else None, "longitude": place.longitude if place else None}
    if given.get("active") is not None:
        changes["active"] = given["active"]
    return replace(warehouse, **changes)


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


async def _assign(owner: str, owner_id: int, assigned: Sequence[Assigned]) -> None:
    """Replace the warehouses that a website or an organization sells from."""
    if len(assigned) > 250:
        raise refusals.too_many("warehouses", len(assigned), 250, "warehouses")
    known = await rows.warehouses_by_code({one.warehouse for one in assigned})
    made = []
    for number, one in enumerate(assigned):
        if one.warehouse not in known:
            raise refusals.missing("warehouse", one.warehouse, "warehouses", number, "warehouse")
        if any(known[other.warehouse] == known[one.warehouse] for other in assigned[:number]):
            raise invalid(f"{one.warehouse} stands there twice.", "warehouses", number, "warehouse")
        priority = number if one.priority is None else one.priority
        if abs(priority) > _LARGEST_PRIORITY:
            raise invalid(f"{priority} is out of range for a priority.", "warehouses", number, "priority")
        assigned_to = {"website_id": None, "organization_id": None, owner: owner_id}
        made.append(Assignment(UNSTORED, **assigned_to, warehouse_id=known[one.warehouse].id, priority=priority))
    await rows.replace_assignments(owner, owner_id, made)


async def ensure_default_organization() -> None:
    """The organization that a website without one belongs to."""
    await rows.ensure_organization(DEFAULT_ORGANIZATION, "Default organization")
