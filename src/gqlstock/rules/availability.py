"""What a shop may show and sell of an item on a website: the one function behind showing, checking and ordering."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from gqlstock.rules import quantities
from gqlstock.rules.catalog import InventoryStatus
from gqlstock.rules.ledger import Level
from gqlstock.rules.quantities import ZERO
from gqlstock.rules.refusals import QuantityRules, UnavailableReason
from gqlstock.rules.settings import BackorderMode, LowStockActivity, Settings

BACKORDER_MESSAGE = "Out of stock - on backorder and will be dispatched once in stock."


@dataclass(frozen=True, slots=True)
class Source:
    """A level of the item in an active warehouse of the website, in the order in which it gives."""

    warehouse_id: int
    level: Level
    backorders: BackorderMode = BackorderMode.NO_BACKORDERS

    @property
    def takes_backorders(self) -> bool:
        return self.backorders is not BackorderMode.NO_BACKORDERS


@dataclass(frozen=True, slots=True)
class Sellable:
    """An item as one website sees it. ``reason`` is one that the catalog knows before anything is counted."""

    published: bool
    status: InventoryStatus
    counted: bool
    settings: Settings
    sources: tuple[Source, ...] = ()
    has_warehouse: bool = True
    """Whether the website has an active warehouse: what sells where nothing is counted."""
    reason: UnavailableReason | None = None


@dataclass(frozen=True, slots=True)
class Stock:
    """What there is to sell, in numbers; None where there is no limit."""

    available: Decimal
    """A: free units over the sources less the safety stock."""
    room: Decimal | None
    """How many units more backorders may take."""
    salable: Decimal | None


@dataclass(frozen=True, slots=True)
class Assessment:
    """What a shop may show and sell. ``available`` is None where nothing is counted."""

    status: InventoryStatus
    visible: bool
    reason: UnavailableReason | None
    available: Decimal | None
    salable: Decimal | None
    only_left: Decimal | None
    low_inventory: bool
    backorder: bool
    message: str | None
    upcoming: bool
    availability_date: datetime | None
    availability_range: str | None
    can_subscribe: bool
    returnable: bool
    rules: QuantityRules

    @property
    def orderable(self) -> bool:
        return self.reason is None


def safety_stock(settings: Settings, sources: Sequence[Source]) -> Decimal:
    """k: what is never sold. With backorders on there is none. (Magento)"""
    threshold = settings.out_of_stock_threshold
    return ZERO if threshold <= 0 or _takes_backorders(sources) else threshold


def _takes_backorders(sources: Sequence[Source]) -> bool:
    for source in sources:  # noqa: SIM110 – a generator costs more than what it looks at.
        if source.backorders is not BackorderMode.NO_BACKORDERS:
            return True
    return False


def free(settings: Settings, sources: Sequence[Source]) -> list[Decimal]:
    """What each source can give, in order: its available units cut at 0, less the safety stock, which lies last.

    One warehouse's lack never eats another's stock.
    """
    there = [max(source.level.available, ZERO) for source in sources]
    left = safety_stock(settings, sources)
    for place in reversed(range(len(there))):
        if not left:
            break
        kept = min(there[place], left)
        left -= kept
        there[place] -= kept
    return there


def room(settings: Settings, sources: Sequence[Source]) -> Decimal | None:
    """How many units more backorders may take; None without limit. A negative threshold bounds them. (Magento)"""
    if not _takes_backorders(sources):
        return ZERO
    if settings.out_of_stock_threshold >= 0:
        return None
    waiting = sum((s.level.backordered for s in sources), ZERO)
    return max(-settings.out_of_stock_threshold - waiting, ZERO)


def never_splits(settings: Settings) -> bool:
    """Whether a line comes whole from one warehouse: cut from one roll, sent in one box. (Oro)"""
    return settings.quantity_uses_decimals and not settings.allow_multiple_boxes


def _least(settings: Settings) -> Decimal:
    """What must be free for an item to be in stock: L; anything over 0 where no quantity can be ordered."""
    return settings.least_quantity or quantities.UNIT


def _has_least(settings: Settings, found: Stock) -> bool:
    """Whether the least that can be ordered is salable, be it on backorder."""
    least = settings.least_quantity
    return least is not None and (found.salable is None or found.salable >= least)


def stock(settings: Settings, sources: Sequence[Source], *, only_free: bool = False) -> Stock:
    """A, the room for backorders, and what one line can have of both; ``only_free``: of what is free alone."""
    frees = free(settings, sources)
    available = sum(frees, ZERO)
    left = ZERO if only_free else room(settings, sources)
    if left is None:
        return Stock(available, None, None)
    if never_splits(settings):
        salable = max(
            (f + (left if s.takes_backorders else ZERO) for f, s in zip(frees, sources, strict=True)), default=ZERO
        )
    else:
        salable = available + left
    return Stock(available, left, salable if settings.quantity_uses_decimals else quantities.floor(salable))


def crossed(settings: Settings, before: Sequence[Source], after: Sequence[Source]) -> bool | None:
    """Whether a counted item is in stock again (True) or is no longer (False); None when neither. (Magento)"""
    least = _least(settings)
    there, left = (sum(free(settings, sources), ZERO) >= least for sources in (before, after))
    return left if there != left else None


def assess(item: Sellable, now: datetime) -> Assessment:
    """All that a shop may show and sell of one counted or uncounted item. Section 3 of the stock model."""
    settings = item.settings
    found = stock(settings, item.sources) if item.counted else None
    in_stock = found is None or found.available >= _least(settings)
    status = _status(item, in_stock=in_stock)
    # An item that is not sold here is not hidden for want of it.
    low = _low_stock(settings, found) if item.sources else None
    hidden = low is UnavailableReason.LOW_STOCK_UNPUBLISHED
    backorder = not in_stock and found is not None and _has_least(settings, found)
    notify = backorder and any(s.backorders is BackorderMode.ALLOW_AND_NOTIFY_CUSTOMER for s in item.sources)
    return _shown(
        item,
        now,
        status=status,
        in_stock=in_stock,
        visible=item.published and status in settings.visible_statuses and not hidden,
        reason=_reason(item, found, low),
        available=found.available if found else None,
        salable=found.salable if found else None,
        backorder=backorder,
        message=BACKORDER_MESSAGE if notify else None,
    )


def assess_product(
    item: Sellable, combinations: Sequence[Assessment], now: datetime, *, open_choices: bool
) -> Assessment:
    """A product tracked with options, asked for as itself: the sums over its orderable combinations. (CS-Cart)

    ``open_choices``: a choice without a combination may be sold, uncounted (nopCommerce).
    """
    orderable = [c for c in combinations if c.orderable]
    hidden = bool(combinations) and all(c.reason is UnavailableReason.LOW_STOCK_UNPUBLISHED for c in combinations)
    status = _status(item, in_stock=open_choices or any(c.status is InventoryStatus.IN_STOCK for c in combinations))
    # An orderable combination that is not in stock is on backorder.
    backorder = bool(orderable) and not open_choices and all(c.backorder for c in orderable)
    shown = _shown(
        item,
        now,
        status=status,
        in_stock=not backorder,
        visible=item.published and status in item.settings.visible_statuses and (open_choices or not hidden),
        reason=_reason(item, None, None),
        available=None if open_choices else _sum(c.available for c in orderable),
        salable=None if open_choices else _sum(c.salable for c in orderable),
        backorder=backorder,
        message=next((c.message for c in orderable if c.message), None) if backorder else None,
    )
    # Who waits for the product waits for any of its combinations.
    waits = shown.reason is UnavailableReason.SELECT_OPTIONS and not open_choices and not orderable
    may = item.settings.allow_back_in_stock_subscriptions and any(c.can_subscribe for c in combinations)
    return replace(shown, can_subscribe=shown.can_subscribe or (waits and may))


def _sum(quantities: Iterable[Decimal | None]) -> Decimal | None:
    """The sum; None as soon as one of them is without limit."""
    found = list(quantities)
    return None if None in found else sum((q for q in found if q is not None), ZERO)


def _status(item: Sellable, *, in_stock: bool) -> InventoryStatus:
    """What was set by hand stands; else the quantity says it. (Oro)"""
    if item.status is not InventoryStatus.IN_STOCK:
        return item.status
    return InventoryStatus.IN_STOCK if in_stock else InventoryStatus.OUT_OF_STOCK


def _low_stock(settings: Settings, found: Stock | None) -> UnavailableReason | None:
    """The low-stock activity that is in force now; worked out, never stored. (nopCommerce)"""
    minimum = settings.minimum_stock_quantity
    if found is None or minimum is None or found.available >= minimum:
        return None
    return {
        LowStockActivity.NOTHING: None,
        LowStockActivity.DISABLE_BUY_BUTTON: UnavailableReason.LOW_STOCK_BUY_DISABLED,
        LowStockActivity.UNPUBLISH: UnavailableReason.LOW_STOCK_UNPUBLISHED,
    }[settings.low_stock_activity]


def _reason(item: Sellable, found: Stock | None, low: UnavailableReason | None) -> UnavailableReason | None:
    """The first reason that holds why the item cannot be ordered."""
    if not item.published:
        return UnavailableReason.NOT_PUBLISHED
    if item.status not in item.settings.orderable_statuses:
        return UnavailableReason.STATUS_NOT_ORDERABLE
    if item.reason is not None:
        return item.reason
    if not (item.sources if item.counted else item.has_warehouse):
        return UnavailableReason.NOT_SOLD_HERE
    if item.settings.least_quantity is None:
        return UnavailableReason.NO_QUANTITY_ALLOWED
    if low is not None:
        return low
    if found is not None and not _has_least(item.settings, found):
        return UnavailableReason.OUT_OF_STOCK
    return None


_WANT_OF_STOCK = {
    UnavailableReason.OUT_OF_STOCK,
    UnavailableReason.LOW_STOCK_BUY_DISABLED,
    UnavailableReason.LOW_STOCK_UNPUBLISHED,
}


def _shown(
    item: Sellable,
    now: datetime,
    *,
    status: InventoryStatus,
    in_stock: bool,
    visible: bool,
    reason: UnavailableReason | None,
    available: Decimal | None,
    salable: Decimal | None,
    backorder: bool,
    message: str | None,
) -> Assessment:
    """The figures with the labels that the settings put on them."""
    settings = item.settings
    left = available if in_stock and available is not None and available > 0 else None
    few, low = settings.only_x_left_threshold, settings.low_inventory_threshold
    dated = settings.availability_date
    past = dated is not None and dated < now and settings.hide_labels_past_availability_date
    waits = reason in _WANT_OF_STOCK or (
        reason is UnavailableReason.STATUS_NOT_ORDERABLE and item.status is InventoryStatus.OUT_OF_STOCK
    )
    return Assessment(
        status=status,
        visible=visible,
        reason=reason,
        available=available,
        salable=salable,
        only_left=left if left is not None and few is not None and left <= few else None,
        low_inventory=settings.highlight_low_inventory and left is not None and left <= low,
        backorder=backorder,
        message=message,
        upcoming=settings.upcoming and not past,
        availability_date=None if past else dated,
        availability_range=settings.availability_range if status is not InventoryStatus.IN_STOCK else None,
        can_subscribe=settings.allow_back_in_stock_subscriptions
        and waits
        and item.status is not InventoryStatus.DISCONTINUED,
        returnable=settings.returnable,
        rules=settings.quantity_rules,
    )


def for_public(assessment: Assessment, settings: Settings) -> Assessment:
    """The same without what the public is not to see. (nopCommerce)"""
    if not settings.display_availability:
        return replace(assessment, salable=None, only_left=None, low_inventory=False, message=None)
    if not settings.display_stock_quantity:
        return replace(assessment, salable=None)
    return assessment


def may_see_quantity(settings: Settings) -> bool:
    """Whether the public may see how many units can be ordered, be it in an error."""
    return settings.display_availability and settings.display_stock_quantity


def taken_down(assessment: Assessment) -> Assessment:
    """What is told of an item that was shown and is not to be seen any more: that, and nothing of its stock."""
    return replace(
        assessment,
        visible=False,
        reason=UnavailableReason.NOT_PUBLISHED,
        available=None,
        salable=None,
        only_left=None,
        low_inventory=False,
        backorder=False,
        message=None,
        upcoming=False,
        availability_date=None,
        availability_range=None,
        can_subscribe=False,
    )
