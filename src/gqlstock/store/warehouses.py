"""Organizations, websites, warehouses, and which warehouse serves which."""

from collections.abc import Collection
from typing import Any

from tortoise import fields
from tortoise.models import Model

from gqlstock.rules import geo, skus
from gqlstock.rules.network import Network, RankedWarehouse, SalesChannel
from gqlstock.store import database
from gqlstock.store.fields import SkuField


class Organization(Model):
    id = fields.BigIntField(primary_key=True)
    code = SkuField(max_length=255, unique=True)
    name = fields.CharField(max_length=500)
    created_at = fields.DatetimeField(auto_now_add=True)

    class Meta:
        table = "organization"


class Website(Model):
    id = fields.BigIntField(primary_key=True)
    code = SkuField(max_length=255, unique=True)
    name = fields.CharField(max_length=500)
    organization: fields.ForeignKeyRelation[Organization] = fields.ForeignKeyField(
        "gqlstock.Organization", related_name="websites", on_delete=fields.RESTRICT
    )
    organization_id: int
    created_at = fields.DatetimeField(auto_now_add=True)

    class Meta:
        table = "website"


class Warehouse(Model):
    id = fields.BigIntField(primary_key=True)
    code = SkuField(max_length=255, unique=True)
    name = fields.CharField(max_length=500)
    address: fields.Field[dict[str, Any] | None] = fields.JSONField(null=True)
    latitude = fields.FloatField(null=True)
    longitude = fields.FloatField(null=True)
    active = fields.BooleanField(default=True)
    created_at = fields.DatetimeField(auto_now_add=True)
    updated_at = fields.DatetimeField(auto_now=True)

    class Meta:
        table = "warehouse"

    @property
    def location(self) -> geo.Point | None:
        return geo.point_or_none(self.latitude, self.longitude)


class Assignment(Model):
    """A warehouse that a website sells from, or that an organization's websites without any of their own do."""

    id = fields.BigIntField(primary_key=True)
    website: fields.ForeignKeyNullableRelation[Website] = fields.ForeignKeyField(
        "gqlstock.Website", related_name="assignments", null=True, on_delete=fields.CASCADE
    )
    website_id: int | None
    organization: fields.ForeignKeyNullableRelation[Organization] = fields.ForeignKeyField(
        "gqlstock.Organization", related_name="assignments", null=True, on_delete=fields.CASCADE
    )
    organization_id: int | None
    warehouse: fields.ForeignKeyRelation[Warehouse] = fields.ForeignKeyField(
        "gqlstock.Warehouse", related_name="assignments", on_delete=fields.RESTRICT
    )
    warehouse_id: int
    priority = fields.IntField()

    class Meta:
        table = "assignment"
        unique_together = (("website_id", "warehouse_id"), ("organization_id", "warehouse_id"))


async def network() -> Network:
    """All websites with their organizations and warehouses, in one statement."""
    rows = await database.look(
        """SELECT s.id AS id, s.code AS code, o.id AS organization_id, o.code AS organization,
                  a.website_id AS own, a.priority AS priority,
                  w.id AS warehouse_id, w.latitude AS latitude, w.longitude AS longitude, w.active AS active
           FROM website s
           JOIN organization o ON o.id = s.organization_id
           LEFT JOIN assignment a ON a.website_id = s.id OR a.organization_id = o.id
           LEFT JOIN warehouse w ON w.id = a.warehouse_id
           UNION ALL
           SELECT NULL, code, NULL, NULL, NULL, NULL, id, NULL, NULL, active FROM warehouse
           ORDER BY 1, 6, 7"""
    )
    by_website: dict[int, list[dict[str, Any]]] = {}
    for row in rows:
        if row["id"] is not None:
            by_website.setdefault(row["id"], []).append(row)
    places = [row for row in rows if row["id"] is None]
    return Network(
        tuple(_channel(found) for found in by_website.values()),
        {row["code"]: row["warehouse_id"] for row in places},
        frozenset(row["warehouse_id"] for row in places if row["active"]),
    )


async def default_website_code() -> str | None:
    """The code of the first website created."""
    rows = await database.look("SELECT code FROM website ORDER BY id LIMIT 1")
    return rows[0]["code"] if rows else None


def _channel(rows: list[dict[str, Any]]) -> SalesChannel:
    assigned = [row for row in rows if row["warehouse_id"] is not None]
    own = [row for row in assigned if row["own"] is not None]
    sites = tuple(
        (
            RankedWarehouse(row["warehouse_id"], row["priority"], geo.point_or_none(row["latitude"], row["longitude"])),
            bool(row["active"]),
        )
        for row in own or assigned
    )
    first = rows[0]
    return SalesChannel(first["id"], first["code"], first["organization_id"], first["organization"], sites)


async def warehouses(ids: Collection[int]) -> dict[int, Warehouse]:
    return {warehouse.id: warehouse for warehouse in await Warehouse.filter(id__in=set(ids))} if ids else {}


async def warehouses_by_code(codes: Collection[str]) -> dict[str, Warehouse]:
    """Warehouses by code as it was asked for, in whatever spelling."""
    found = {warehouse.code: warehouse for warehouse in await Warehouse.filter(code__in=set(codes))} if codes else {}
    return {code: found[stored] for code in codes if (stored := skus.normalized(code)) in found}


async def websites(ids: Collection[int]) -> dict[int, Website]:
    return {website.id: website for website in await Website.filter(id__in=set(ids))} if ids else {}


async def websites_of(organization_ids: Collection[int]) -> dict[int, list[Website]]:
    """The websites of each organization, oldest first."""
    found: dict[int, list[Website]] = {organization_id: [] for organization_id in organization_ids}
    for website in await Website.filter(organization_id__in=set(found)).order_by("id"):
        found[website.organization_id].append(website)
    return found


async def organizations(ids: Collection[int]) -> dict[int, Organization]:
    return {found.id: found for found in await Organization.filter(id__in=set(ids))} if ids else {}


async def assignments(owner: str, ids: Collection[int]) -> dict[int, list[Assignment]]:
    """The assignments of each ``website_id`` or ``organization_id``, by priority, ties by the warehouse's id."""
    found: dict[int, list[Assignment]] = {owner_id: [] for owner_id in ids}
    rows = await Assignment.filter(**{f"{owner}__in": set(ids)}).order_by("priority", "warehouse_id")
    for row in rows:
        found[getattr(row, owner)].append(row)
    return found


async def codes_by_id() -> dict[int, str]:
    """The codes of all warehouses."""
    return {warehouse.id: warehouse.code for warehouse in await Warehouse.all().order_by("code")}
