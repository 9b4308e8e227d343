"""Holds for carts: stock kept until it is ordered, released, or the time is up."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal

from gqlstock.rules import holds as rules
from gqlstock.rules import refusals
from gqlstock.rules.holds import StockHoldState
from gqlstock.rules.ledger import Change
from gqlstock.rules.limits import PublicHolds
from gqlstock.rules.quantities import ZERO
from gqlstock.rules.refusals import Refused, wrong_state
from gqlstock.rules.scopes import Caller
from gqlstock.services.availability import Shelf
from gqlstock.services.drafts import Asked, Draft, OrderLine, plan, read, stocked
from gqlstock.services.handles import Handle
from gqlstock.services.idempotency import Kept, once, ticket_on_website
from gqlstock.services.lookup import lookup
from gqlstock.services.posting import follow, summed
from gqlstock.store import database, inventory
from gqlstock.store import holds as rows
from gqlstock.store.holds import HeldUnits, StockHold, StockHoldLine
from gqlstock.store.inventory import Claim, InventoryLevel, Posting

_SWEPT_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Holding:
    """``replaces``: the hold of the same cart that this one takes the place of."""

    lines: tuple[OrderLine, ...]
    website: str | None = None
    minutes: int = 15
    replaces: Handle | None = None


@dataclass(frozen=True, slots=True)
class Held:
    """A hold and what it keeps: levels with their items and warehouses."""

    hold: StockHold
    units: list[HeldUnits]
    levels: Mapping[int, InventoryLevel]

    @property
    def item_ids(self) -> set[int]:
        return {level.item_id for level in self.levels.values()}

    @property
    def warehouses(self) -> dict[int, list[int]]:
        """The warehouses that keep units of each item, in the order of the plan."""
        found: dict[int, list[int]] = {}
        for unit in self.units:
            level = self.levels[unit.level_id]
            found.setdefault(level.item_id, []).append(level.warehouse_id)
        return found

    @property
    def quantities(self) -> dict[int, Decimal]:
        """How many units each level keeps."""
        sums: dict[int, Decimal] = {}
        for unit in self.units:
            sums[unit.level_id] = sums.get(unit.level_id, ZERO) + unit.quantity
        return sums


@dataclass(frozen=True, slots=True)
class Guest:
    """Somebody without a token: where they come from (None where that is not counted), and what they may hold."""

    address: str | None
    limits: PublicHolds


async def hold(caller: Caller, asked: Holding, key: str | None = None, guest: Guest | None = None) -> Kept:
    """Keep what is free for a cart, all of it or nothing. Answers the hold's id."""

    async def work() -> Kept:
        order = Asked(asked.lines, asked.website, only_free=True)
        channel, lines, found = await read(caller, order, to_claim=True)
        replaced = await taken_up(asked.replaces, "replaces")
        wanted = stocked(lines, found)
        claim = await inventory.claim(wanted.keys() | (replaced.item_ids if replaced else set()), wanted)
        released = await end(caller, replaced, channel.id, claim, StockHoldState.RELEASED, "replaces")
        found.use(claim)
        draft = plan(caller, order, lines, found)
        if draft.refusals:
            raise Refused(draft.refusals)
        address = guest.address if guest is not None else None
        if guest is not None and address is not None:
            await rows.lock_address(address)
            rules.check_active_of_address(await rows.active_of(address, database.now()), guest.limits)
        made = await _write(channel.id, asked.minutes, address, draft, found, claim)
        postings = summed(
            [Posting(level, Change(held=quantity), caller) for level, quantity in _kept(draft, found, claim)]
        )
        await inventory.record(postings)
        levels = [posting.level for posting in postings] + released
        await follow(claim, levels, await lookup(claim.items.values(), found.lookup.network))
        return Kept({"hold": [made]})

    rules.check_minutes(asked.minutes)
    if guest is not None:
        rules.check_public(asked.minutes, len(asked.lines), guest.limits)
    return await once(await ticket_on_website(caller, "holdStock", key, asked), work)


async def release(caller: Caller, handle: Handle) -> int:
    """Give a hold's units back. Answers its id."""

    async def work() -> int:
        held = await taken_up(handle, "id")
        assert held is not None
        claim = await inventory.claim(held.item_ids)
        levels = await end(caller, held, held.hold.website_id, claim, StockHoldState.RELEASED, "id")
        await follow(claim, levels, await lookup(claim.items.values()))
        return int(held.hold.id)

    return await database.transaction(work)


async def sweep() -> int:
    """Take expired holds out of the figures of their levels, with what follows from it. Gives how many."""
    swept = 0
    while found := await rows.expired(database.now(), _SWEPT_AT_ONCE):
        for hold_id in found:
            await database.transaction(lambda hold_id=hold_id: _expire(hold_id))  # type: ignore[misc]
        swept += len(found)
    return swept


async def _expire(hold_id: int) -> None:
    held = await _held((await rows.holds([hold_id]))[hold_id])
    claim = await inventory.claim(held.item_ids)
    current = await rows.lock(hold_id)
    if current.state is not StockHoldState.ACTIVE:
        return
    # Under the claim its units count nowhere any more: the figures in memory are those after the release.
    levels = [level for level in _levels(held, claim) if level is not None]
    for level in levels:
        claim.told[level.id] = replace(level.state, held=level.held + held.quantities[level.id])
    await inventory.drop_expired(held.quantities)
    await rows.close(hold_id, StockHoldState.EXPIRED)
    await follow(claim, levels, await lookup(claim.items.values()))


async def taken_up(handle: Handle | None, *path: str) -> Held | None:
    """The hold that a caller names; None for none named."""
    if handle is None:
        return None
    known = await rows.holds([handle.row_id]) if handle.row_id is not None else {}
    if handle.row_id not in known:
        raise refusals.missing("hold", handle.told, *path)
    return await _held(known[handle.row_id])


def check(held: Held, website_id: int, *path: str) -> None:
    """Refuse a hold that is over, or of another website."""
    rules.check_active(held.hold.state, held.hold.expires_at, database.now(), *path)
    if held.hold.website_id != website_id:
        raise wrong_state("The hold is of another website.", *path)


async def end(
    caller: Caller, held: Held | None, website_id: int, claim: Claim, state: StockHoldState, *path: str
) -> list[InventoryLevel]:
    """End an active hold of that website under the claim on its items: its units are free. Gives its levels."""
    if held is None:
        return []
    current = await rows.lock(held.hold.id)
    check(Held(current, held.units, held.levels), website_id, *path)
    await rows.close(current.id, state)
    known = {level.id: level for item_id in claim.items for level in claim.all_levels(item_id)}
    await inventory.record(
        [Posting(known[level_id], Change(held=-quantity), caller) for level_id, quantity in held.quantities.items()]
    )
    return [known[level_id] for level_id in held.quantities]


async def _held(found: StockHold) -> Held:
    units = await rows.units_of(found.id)
    return Held(found, units, await inventory.levels({unit.level_id for unit in units}))


def _levels(held: Held, claim: Claim) -> list[InventoryLevel | None]:
    return [claim.level(level.item_id, level.warehouse_id) for level in held.levels.values()]


def _kept(draft: Draft, found: Shelf, claim: Claim) -> list[tuple[InventoryLevel, Decimal]]:
    """What a draft takes of which level."""
    return [
        (level, part.quantity)
        for line in draft.lines
        if line.item is not None and line.counted
        for part in line.parts
        if (level := claim.level(found.stock_item(line.item).id, part.warehouse_id)) is not None
    ]


async def _write(website_id: int, minutes: int, address: str | None, draft: Draft, found: Shelf, claim: Claim) -> int:
    at = database.now()
    made = StockHold(
        id=rows.new_id(),
        website_id=website_id,
        state=StockHoldState.ACTIVE,
        address=address,
        created_at=at,
        expires_at=at + timedelta(minutes=minutes),
    )
    lines = [
        StockHoldLine(
            hold_id=made.id,
            item_id=line.item.id,
            sku=line.item.sku,
            quantity=line.asked.quantity,
            selected_options=line.selected,
        )
        for line in draft.lines
        if line.item is not None
    ]
    units = [
        HeldUnits(hold_id=made.id, level_id=level.id, quantity=quantity)
        for level, quantity in _kept(draft, found, claim)
    ]
    made.seal = made.sealed(lines, units)
    await made.save()
    await database.insert_many(lines)
    await database.insert_many(units)
    return int(made.id)
