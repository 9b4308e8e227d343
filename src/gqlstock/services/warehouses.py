"""Organizations, websites and warehouses: made and changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gqlstock.rules import catalog, geo, refusals, skus
from gqlstock.rules.events import ANY_SETTING
from gqlstock.rules.geo import Point
from gqlstock.rules.refusals import invalid
from gqlstock.rules.settings import camel
from gqlstock.store import database, outbox, reassessments
from gqlstock.store import warehouses as rows
from gqlstock.store.warehouses import Assignment, Organization, Warehouse, Website

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
        made = Organization(code=await _free_code(Organization, code), name=catalog.text(name, "name", "name"))
        await made.save()
        await _assign("organization_id", made.id, warehouses)
        return int(made.id)

    return await database.transaction(work)


async def update_organization(code: str, given: Changes) -> int:
    """Change what is given of an organization; ``warehouses`` replaces them all. Answers its id."""

    async def work() -> int:
        found = await _organization(code, "code")
        if given.get("name") is not None:
            found.name = catalog.text(given["name"], "name", "name")
            await found.save()
        if "warehouses" in given:
            await _assign("organization_id", found.id, given["warehouses"] or ())
            await outbox.add([ANY_SETTING])
            await reassessments.add_everything()
        return int(found.id)

    return await database.transaction(work)


async def create_website(
    code: str, name: str, organization: str | None = None, warehouses: Sequence[Assigned] = ()
) -> int:
    """Make a website, of the default organization if none is named. Answers its id."""

    async def work() -> int:
        owner = await _organization(DEFAULT_ORGANIZATION if organization is None else organization, "organization")
        made = Website(
            code=await _free_code(Website, code), name=catalog.text(name, "name", "name"), organization_id=owner.id
        )
        await made.save()
        await _assign("website_id", made.id, warehouses)
        await outbox.add([ANY_SETTING])
        await reassessments.add_everything()
        return int(made.id)

    return await database.transaction(work)


async def update_website(code: str, given: Changes) -> int:
    """Change what is given of a website; ``warehouses`` replaces them all. Answers its id."""

    async def work() -> int:
        found = await Website.get_or_none(code=code)
        if found is None:
            raise refusals.missing("website", code, "code")
        if given.get("name") is not None:
            found.name = catalog.text(given["name"], "name", "name")
        if given.get("organization") is not None:
            found.organization_id = (await _organization(given["organization"], "organization")).id
        await found.save()
        if "warehouses" in given:
            await _assign("website_id", found.id, given["warehouses"] or ())
        await outbox.add([ANY_SETTING])
        if "warehouses" in given or given.get("organization") is not None:
            await reassessments.add_everything()
        return int(found.id)

    return await database.transaction(work)


async def create_warehouse(given: Changes) -> int:
    """Make a warehouse of ``code``, ``name`` and whatever else is given. Answers its id."""

    async def work() -> int:
        made = Warehouse(code=await _free_code(Warehouse, given["code"]))
        _apply(made, given)
        await made.save()
        return int(made.id)

    return await database.transaction(work)


async def update_warehouse(code: str, given: Changes) -> int:
    """Change what is given of a warehouse. Taking it in or out of use is a change of what its items have available."""

    async def work() -> int:
        found = await Warehouse.get_or_none(code=code)
        if found is None:
            raise refusals.missing("warehouse", code, "code")
        before = found.active
        _apply(found, given)
        await found.save()
        await outbox.add([ANY_SETTING])
        if found.active != before:
            await reassessments.add_everything()
        return int(found.id)

    return await database.transaction(work)


def _apply(warehouse: Warehouse, given: Changes) -> None:
    if given.get("name") is not None:
        warehouse.name = catalog.text(given["name"], "name", "name")
    if "address" in given:
        warehouse.address = _address(given["address"])
    if "location" in given:
        place: Point | None = given["location"]
        if place is not None:
            geo.point(place.latitude, place.longitude, "location")
        warehouse.latitude = place.latitude if place else None
        warehouse.longitude = place.longitude if place else None
    if given.get("active") is not None:
        warehouse.active = given["active"]


def _address(address: Mapping[str, str | None] | None) -> dict[str, str | None] | None:
    if address is None:
        return None
    return {line: catalog.optional_text(value, "address", "address", camel(line)) for line, value in address.items()}


async def _organization(code: str, at: str) -> Organization:
    found = await Organization.get_or_none(code=code)
    if found is None:
        raise refusals.missing("organization", code, at)
    return found


async def _free_code(table: type[Organization] | type[Website] | type[Warehouse], code: str) -> str:
    checked = catalog.text(skus.normalized(code), "code", "code")
    if await table.exists(code=checked):
        raise refusals.taken(table.__name__.lower(), checked, "code")
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
        made.append(Assignment(**{owner: owner_id}, warehouse_id=known[one.warehouse].id, priority=priority))
    await Assignment.filter(**{owner: owner_id}).delete()
    await database.insert_many(made)


async def ensure_default_organization() -> None:
    """The organization that a website without one belongs to."""
    await Organization.get_or_create(code=DEFAULT_ORGANIZATION, defaults={"name": "Default organization"})
