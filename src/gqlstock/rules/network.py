"""Websites and the warehouses they sell from. ``allocation`` decides which warehouse supplies what."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from gqlstock.rules import geo, skus

T = TypeVar("T")

MAX_WAREHOUSES = 250
"""The maximum number of warehouses in one list of a caller."""


@dataclass(frozen=True, slots=True)
class Organization:
    id: int
    code: str
    name: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Website:
    id: int
    code: str
    name: str
    organization_id: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Warehouse:
    """An inactive warehouse keeps its levels and sells nothing."""

    id: int
    code: str
    name: str
    address: dict[str, Any] | None
    latitude: float | None
    longitude: float | None
    active: bool
    created_at: datetime
    updated_at: datetime

    @property
    def location(self) -> geo.Point | None:
        return geo.point_or_none(self.latitude, self.longitude)


@dataclass(frozen=True, slots=True)
class Assignment:
    """A warehouse assigned to a website or to an organization, with its priority."""

    id: int
    website_id: int | None
    organization_id: int | None
    warehouse_id: int
    priority: int


def selling_warehouses(own: Sequence[T], of_organization: Sequence[T]) -> Sequence[T]:
    """The warehouses that a website sells from: its own, or if it has none, those of its organization."""
    return own or of_organization


@dataclass(frozen=True, slots=True)
class RankedWarehouse:
    """A warehouse of a website with its priority and location."""

    warehouse_id: int
    priority: int
    location: geo.Point | None = None


@dataclass(frozen=True, slots=True)
class SalesChannel:
    """A website with its organization and its warehouses."""

    id: int
    code: str
    organization_id: int
    organization: str
    assigned: tuple[tuple[RankedWarehouse, bool], ...]
    """Its warehouses by priority, each with whether it is active."""

    @property
    def warehouses(self) -> list[RankedWarehouse]:
        """The active warehouses, the only ones that sell."""
        return [warehouse for warehouse, active in self.assigned if active]

    def sells_from(self, warehouse_ids: Collection[int]) -> bool:
        """Whether any of these warehouses is assigned to the website."""
        return any(warehouse.warehouse_id in warehouse_ids for warehouse, _ in self.assigned)


@dataclass(frozen=True, slots=True)
class Network:
    """All websites, in order of creation, and all warehouses."""

    channels: tuple[SalesChannel, ...]
    codes: Mapping[str, int]
    """The ids of the warehouses by normalized code; ``warehouse_id`` accepts any spelling."""
    active: frozenset[int]
    """The ids of the active warehouses, the only ones that sell."""

    def find(self, code: str | None) -> SalesChannel | None:
        """The website with a code; for None the default website, which is the oldest."""
        if code is None:
            return self.channels[0] if self.channels else None
        wanted = skus.normalized(code)
        return next((channel for channel in self.channels if channel.code == wanted), None)

    def channel(self, website_id: int) -> SalesChannel:
        """The website with an id."""
        return next(channel for channel in self.channels if channel.id == website_id)

    def warehouse_id(self, code: str) -> int | None:
        """The id of the warehouse with a code, in any spelling."""
        return self.codes.get(skus.normalized(code))

    def selling_from(self, warehouse_ids: Collection[int]) -> SalesChannel | None:
        """The oldest website that sells from any of these warehouses. (Oro)"""
        return next((channel for channel in self.channels if channel.sells_from(warehouse_ids)), None)

    def home(self, warehouse_ids: Collection[int]) -> SalesChannel | None:
        """The oldest website that sells from an active one of these. Its settings apply to figures over all warehouses."""
        return self.selling_from(self.active.intersection(warehouse_ids))
