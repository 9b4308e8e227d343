"""Websites and the warehouses that they sell from. Which warehouse gives what is decided in ``allocation``."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from gqlstock.rules import geo, skus


@dataclass(frozen=True, slots=True)
class RankedWarehouse:
    """A warehouse of a website: where it is, and how early it gives."""

    warehouse_id: int
    priority: int
    location: geo.Point | None = None


@dataclass(frozen=True, slots=True)
class SalesChannel:
    """A website with what selling on it needs: its organization and its warehouses."""

    id: int
    code: str
    organization_id: int
    organization: str
    assigned: tuple[tuple[RankedWarehouse, bool], ...]
    """Its warehouses by priority, each with whether it is active."""

    @property
    def warehouses(self) -> list[RankedWarehouse]:
        """The active ones: only they sell."""
        return [warehouse for warehouse, active in self.assigned if active]


@dataclass(frozen=True, slots=True)
class Network:
    """Every website, in the order of creation, and every warehouse."""

    channels: tuple[SalesChannel, ...]
    codes: Mapping[str, int]
    """The ids of the warehouses by code; ``warehouse_id`` looks one up in whatever spelling."""
    active: frozenset[int]
    """The ids of the active warehouses: only they sell."""

    def find(self, code: str | None) -> SalesChannel | None:
        """The website of that code; without a code the default website, the first one created."""
        if code is None:
            return self.channels[0] if self.channels else None
        wanted = skus.normalized(code)
        return next((channel for channel in self.channels if channel.code == wanted), None)

    def warehouse_id(self, code: str) -> int | None:
        """The id of the warehouse of that code."""
        return self.codes.get(skus.normalized(code))

    def selling_from(self, warehouse_ids: Collection[int]) -> SalesChannel | None:
        """The first-created website that sells from one of these warehouses. (Oro)"""
        for channel in self.channels:
            if any(warehouse.warehouse_id in warehouse_ids for warehouse, _ in channel.assigned):
                return channel
        return None
