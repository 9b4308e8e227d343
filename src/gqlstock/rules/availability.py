"""What a shop may show and sell of an item on a website. Displaying, checking and ordering all use ``assess``."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from gqlstock.rules import sourcing
from gqlstock.rules.catalog import InventoryStatus
from gqlstock.rules.fast_init import fast_init
from gqlstock.rules.quantities import ZERO
from gqlstock.rules.refusals import QuantityRules, UnavailableReason
from gqlstock.rules.settings import BackorderMode, LowStockActivity, Settings
from gqlstock.rules.sourcing import IncomingStock, Source, Stock

BACKORDER_MESSAGE = "Out of stock - on backorder and will be dispatched once in stock."


@fast_init
@dataclass(frozen=True, slots=True)
class Sellable:
    """An item on one website. ``reason``: why it cannot be ordered regardless of stock, if so."""

    published: bool
    status: InventoryStatus
    counted: bool
    settings: Settings
    sources: tuple[Source, ...] = ()
    has_warehouse: bool = True
    """Whether the website has an active warehouse, which uncounted items need."""
    reason: UnavailableReason | None = None
    buffer_days: int = 0
    """incomingBufferDays of the item that has the stock."""


@fast_init
@dataclass(frozen=True, slots=True)
class Assessment:
    """What a shop may show and sell. ``available`` is None if stock is not counted."""

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
    expected_at: datetime | None = None
    """When the minimum orderable quantity could ship; None if it is in stock or no date is known."""
    incoming: tuple[IncomingStock, ...] = ()
    """Incoming units that are available to new orders."""
    sums_hidden_availability: bool = False
    sums_hidden_quantities: bool = False
    """Whether a product's figures include combinations whose availability, or quantities, the public may not see."""

    @property
    def orderable(self) -> bool:
        return self.reason is None


def _has_least(settings: Settings, stock: Stock) -> bool:
    """Whether the minimum orderable quantity is salable, in stock or on backorder."""
    least = settings.least_quantity
    return least is not None and (stock.salable is None or stock.salable >= least)


def crossed(settings: Settings, before: Sequence[Source], after: Sequence[Source]) -> bool | None:
    """True if a counted item came back in stock, False if it ran out, None for neither. (Magento)"""
    least = sourcing.least(settings)
    was_in_stock, in_stock = (sourcing.total_free(settings, one) >= least for one in (before, after))
    return in_stock if was_in_stock != in_stock else None


def assess(item: Sellable, now: datetime) -> Assessment:
    """What a shop may show and sell of one counted or uncounted item."""
    settings = item.settings
    found = sourcing.stock(settings, item.sources) if item.counted else None
    in_stock = found is None or found.available >= sourcing.least(settings)
    status = _status(item, in_stock=in_stock)
    # Low stock does not hide an item that this website does not sell.
    low = _low_stock(settings, found) if item.sources else None
    hidden = low is UnavailableReason.LOW_STOCK_UNPUBLISHED
    backorder = not in_stock and found is not None and _has_least(settings, found)
    is_supplied = sourcing.is_supplied(item.sources)
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
        expected_at=sourcing.expected_at(settings, item.sources, item.buffer_days) if is_supplied else None,
        incoming=sourcing.incoming(item.sources, item.buffer_days) if is_supplied else (),
    )


def changes_at(settings: Settings, now: datetime) -> datetime | None:
    """The first time from which an assessment with these settings may differ although nothing was written."""
    dated = settings.availability_date
    # Labels disappear after that date, not at it.
    return dated + timedelta.resolution if dated is not None and dated >= now else None


def assess_product(
    item: Sellable,
    combinations: Sequence[Assessment],
    now: datetime,
    *,
    open_choices: bool,
    settings_of: Sequence[Settings] = (),
) -> Assessment:
    """Assess a product tracked with options: the sums over its orderable combinations. (CS-Cart)

    ``open_choices``: choices without a combination can be sold, uncounted (nopCommerce). ``settings_of``: the settings of
    the combinations.
    """
    orderable = [c for c in combinations if c.orderable]
    hidden = bool(combinations) and all(c.reason is UnavailableReason.LOW_STOCK_UNPUBLISHED for c in combinations)
    status = _status(item, in_stock=open_choices or any(c.status is InventoryStatus.IN_STOCK for c in combinations))
    # Every orderable combination that is not in stock is on backorder.
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
        expected_at=None if open_choices else _back_at(combinations),
        incoming=_merged(combinations),
    )
    # A subscription to the product applies to any of its combinations.
    waits = shown.reason is UnavailableReason.SELECT_OPTIONS and not open_choices and not orderable
    may = item.settings.allow_back_in_stock_subscriptions and any(c.can_subscribe for c in combinations)
    return replace(
        shown,
        can_subscribe=shown.can_subscribe or (waits and may),
        sums_hidden_availability=not all(one.display_availability for one in settings_of),
        sums_hidden_quantities=not all(may_see_quantity(one) for one in settings_of),
    )


def _back_at(combinations: Sequence[Assessment]) -> datetime | None:
    """When the first of these combinations could ship; None while one of them is in stock."""
    if any(c.status is InventoryStatus.IN_STOCK for c in combinations):
        return None
    return min((c.expected_at for c in combinations if c.expected_at is not None), default=None)


def _merged(combinations: Sequence[Assessment]) -> tuple[IncomingStock, ...]:
    """The incoming units of all combinations, soonest first."""
    sums: dict[datetime, Decimal] = {}
    for one in [coming for combination in combinations for coming in combination.incoming]:
        sums[one.at] = sums.get(one.at, ZERO) + (one.quantity or ZERO)
    return tuple(IncomingStock(at, sums[at]) for at in sorted(sums))


def _sum(quantities: Iterable[Decimal | None]) -> Decimal | None:
    """The sum; None if one of the quantities has no limit."""
    found = list(quantities)
    return None if None in found else sum((q for q in found if q is not None), ZERO)


def _status(item: Sellable, *, in_stock: bool) -> InventoryStatus:
    """A status set by hand takes precedence over the quantity. (Oro)"""
    if item.status is not InventoryStatus.IN_STOCK:
        return item.status
    return InventoryStatus.IN_STOCK if in_stock else InventoryStatus.OUT_OF_STOCK


def _low_stock(settings: Settings, found: Stock | None) -> UnavailableReason | None:
    """The reason due to the low-stock activity. It is computed, never stored. (nopCommerce)"""
    minimum = settings.minimum_stock_quantity
    if found is None or minimum is None or found.available >= minimum:
        return None
    return {
        LowStockActivity.NOTHING: None,
        LowStockActivity.DISABLE_BUY_BUTTON: UnavailableReason.LOW_STOCK_BUY_DISABLED,
        LowStockActivity.UNPUBLISH: UnavailableReason.LOW_STOCK_UNPUBLISHED,
    }[settings.low_stock_activity]


def _reason(item: Sellable, found: Stock | None, low: UnavailableReason | None) -> UnavailableReason | None:
    """The first reason why the item cannot be ordered; None if it can."""
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


_FOR_LACK_OF_STOCK = {
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
    expected_at: datetime | None,
    incoming: tuple[IncomingStock, ...],
) -> Assessment:
    """Add the labels that depend on the settings."""
    settings = item.settings
    left = available if in_stock and available is not None and available > 0 else None
    few, low = settings.only_x_left_threshold, settings.low_inventory_threshold
    dated = settings.availability_date
    past = dated is not None and dated < now and settings.hide_labels_past_availability_date
    waits = reason in _FOR_LACK_OF_STOCK or (
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
        expected_at=expected_at,
        incoming=incoming,
    )


def for_public(assessment: Assessment, settings: Settings) -> Assessment:
    """The assessment without the quantities that the public may not see. (nopCommerce)"""
    if not settings.display_availability or assessment.sums_hidden_availability:
        hidden = replace(assessment, salable=None, only_left=None, low_inventory=False, message=None)
        return replace(hidden, expected_at=None, incoming=())
    if not settings.display_stock_quantity or assessment.sums_hidden_quantities:
        coming = tuple(IncomingStock(one.at, None) for one in assessment.incoming)
        return replace(assessment, salable=None, incoming=coming)
    return assessment


def may_see_quantity(settings: Settings) -> bool:
    """Whether the public may see how many units can be ordered, also in an error."""
    return settings.display_availability and settings.display_stock_quantity


def taken_down(assessment: Assessment) -> Assessment:
    """The assessment of an item that is no longer visible: not published, and without any stock figures."""
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
        expected_at=None,
        incoming=(),
    )
