"""Finds the warehouses that a file and its command name. Creates missing ones if the format allows it."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from gqlstock.rules import catalog, refusals, skus
from gqlstock.rules.ids import UNSTORED
from gqlstock.rules.import_report import Kind, Remark, RemarkKind, Report
from gqlstock.rules.import_rows import Faults
from gqlstock.rules.network import Warehouse
from gqlstock.rules.refusals import Code, Refusal
from gqlstock.services import warehouses as services
from gqlstock.services.import_plan import Places
from gqlstock.services.warehouses import AssignedWarehouse
from gqlstock.store import warehouses as rows
from gqlstock.store.db import clock, transactions
from gqlstock.store.db.records import records

MADE_WAREHOUSES = "warehouses, named as in the file"
UNSOLD = "new warehouses that no website sells from: assign them with updateWebsite, or import with --website"


async def named(code: str) -> Warehouse:
    """The warehouse with the code that a command names."""
    code = catalog.text(code, "code", "warehouse")
    place = (await rows.warehouses_by_code([code])).get(code)
    if place is None:
        known = ", ".join((await rows.codes_by_id()).values()) or "none yet"
        message = f"There is no warehouse {refusals.shown(code)}. Known warehouses: {known}."
        raise Refusal(Code.NOT_FOUND, message, ("warehouse",)).only()
    return place


async def check_website(code: str) -> None:
    """Refuse a website that does not exist."""
    if await rows.website(catalog.text(code, "code", "website")) is None:
        raise refusals.missing("website", code, "website")


async def find(names: Iterable[tuple[str, int]], faults: Faults, *, are_made: bool) -> dict[str | None, Warehouse]:
    """The warehouses that a file names, by code or name. ``names`` pairs each with the first line that names it.

    A missing warehouse is a fault, unless ``are_made``: then it gets a negative placeholder id.
    """
    every = await records(Warehouse, rows.every_warehouse().order_by("id"))
    by_name = {one.name.casefold(): one for one in reversed(every)}
    by_code = {one.code: one for one in every}
    found: dict[str | None, Warehouse] = {}
    for name, line in names:
        code = skus.normalized(name)
        place = by_code.get(code) or by_name.get(code.casefold())
        if place is None and are_made:
            with faults.at(line):
                place = _new(catalog.text(code, "code"), len(found))
                by_code[place.code] = place
        elif place is None:
            known = ", ".join(sorted(by_code)) or "none yet"
            faults.add(
                line, f"There is no warehouse {refusals.shown(name)}. Known warehouses: {known}.", Code.NOT_FOUND
            )
        if place is not None:
            found[name] = place
    return found


def _new(code: str, number: int) -> Warehouse:
    now = clock.now()
    return Warehouse(UNSTORED - 1 - number, code, code, None, None, None, active=True, created_at=now, updated_at=now)


def foresee(places: Mapping[str | None, Warehouse], website: str | None, report: Report) -> list[Warehouse]:
    """Report the warehouses to create, and return them."""
    missing = {one.code: one for one in places.values() if one.id < UNSTORED}
    for code in missing:
        report[Kind.WAREHOUSES].made += 1
        report.add(Remark(RemarkKind.MADE_UP, MADE_WAREHOUSES, 0, code))
        if website is None:
            report.add(Remark(RemarkKind.TO_CHECK, UNSOLD, 0, code))
    return list(missing.values())


async def make(places: Places, website: str | None, report: Report) -> dict[str | None, Warehouse]:
    """Create the missing warehouses. ``website``, if given, sells from them with lower priority than from its own."""
    missing = foresee(places, website, report)
    if not missing:
        return dict(places)

    async def work() -> dict[str, int]:
        ids = {one.code: await services.create_warehouse({"code": one.code, "name": one.name}) for one in missing}
        if website is not None:
            await _sell_from(website, list(ids))
        return ids

    ids = await transactions.run(work)
    return {name: replace(one, id=ids.get(one.code, one.id)) for name, one in places.items()}


async def _sell_from(website: str, codes: list[str]) -> None:
    channel = (await rows.network()).find(website)
    assert channel is not None
    known = await rows.codes_by_id()
    assigned = [AssignedWarehouse(known[ranked.warehouse_id], ranked.priority) for ranked, _ in channel.assigned]
    last = max((one.priority or 0 for one in assigned), default=-1)
    new = [AssignedWarehouse(code, last + number) for number, code in enumerate(codes, 1)]
    await services.update_website(channel.code, {"warehouses": [*assigned, *new]})
