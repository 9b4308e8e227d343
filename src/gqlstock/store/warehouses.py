"""The tables of organizations, websites, warehouses and assignments, and the network they form."""

from collections.abc import Collection, Sequence
from typing import Any, TypeVar

from tortoise import fields
from tortoise.models import Model
from tortoise.queryset import QuerySet

from gqlstock.rules import geo, skus
from gqlstock.rules import network as rules
from gqlstock.rules.network import Network, RankedWarehouse, SalesChannel
from gqlstock.store.db import sql, writing
from gqlstock.store.db.fields import SkuField
from gqlstock.store.db.records import by_id, records

R = TypeVar("R")


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
    rows = await sql.fetch_raw(
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
    warehouse_rows = [row for row in rows if row["id"] is None]
    return Network(
        tuple(_channel(found) for found in by_website.values()),
        {row["code"]: row["warehouse_id"] for row in warehouse_rows},
        frozenset(row["warehouse_id"] for row in warehouse_rows if row["active"]),
    )


async def default_website_code() -> str | None:
    """The code of the website that was created first; None if there is none."""
    rows = await sql.fetch_raw("SELECT code FROM website ORDER BY id LIMIT 1")
    return rows[0]["code"] if rows else None


def _channel(rows: list[dict[str, Any]]) -> SalesChannel:
    assigned = [row for row in rows if row["warehouse_id"] is not None]
    own = [row for row in assigned if row["own"] is not None]
    ranked = tuple(
        (
            RankedWarehouse(row["warehouse_id"], row["priority"], geo.point_or_none(row["latitude"], row["longitude"])),
            bool(row["active"]),
        )
        for row in rules.selling_warehouses(own, assigned)
    )
    first = rows[0]
    return SalesChannel(first["id"], first["code"], first["organization_id"], first["organization"], ranked)


async def warehouses(ids: Collection[int]) -> dict[int, rules.Warehouse]:
    return await by_id(rules.Warehouse, ids)


async def warehouses_by_code(codes: Collection[str]) -> dict[str, rules.Warehouse]:
    """Warehouses by the requested codes. The lookup normalizes them."""
    rows = await records(rules.Warehouse, Warehouse.filter(code__in=set(codes))) if codes else []
    found = {warehouse.code: warehouse for warehouse in rows}
    return {code: found[stored] for code in codes if (stored := skus.normalized(code)) in found}


async def warehouse(code: str) -> rules.Warehouse | None:
    return await _first(rules.Warehouse, Warehouse.filter(code=code))


def every_warehouse() -> QuerySet[Warehouse]:
    return Warehouse.all()


async def websites(ids: Collection[int]) -> dict[int, rules.Website]:
    return await by_id(rules.Website, ids)


async def websites_of(organization_ids: Collection[int]) -> dict[int, list[rules.Website]]:
    """The websites of each organization, oldest first."""
    found: dict[int, list[rules.Website]] = {organization_id: [] for organization_id in organization_ids}
    for website in await records(rules.Website, Website.filter(organization_id__in=set(found)).order_by("id")):
        found[website.organization_id].append(website)
    return found


async def website(code: str) -> rules.Website | None:
    return await _first(rules.Website, Website.filter(code=code))


def every_website() -> QuerySet[Website]:
    return Website.all()


async def organizations(ids: Collection[int]) -> dict[int, rules.Organization]:
    return await by_id(rules.Organization, ids)


async def organization(code: str) -> rules.Organization | None:
    return await _first(rules.Organization, Organization.filter(code=code))


def every_organization() -> QuerySet[Organization]:
    return Organization.all()


async def _first(kind: type[R], query: QuerySet[Any]) -> R | None:
    found = await records(kind, query)
    return found[0] if found else None


async def assignments(owner: str, ids: Collection[int]) -> dict[int, list[rules.Assignment]]:
    """The assignments of each ``website_id`` or ``organization_id``, by priority, then by warehouse id."""
    found: dict[int, list[rules.Assignment]] = {owner_id: [] for owner_id in ids}
    assigned = Assignment.filter(**{f"{owner}__in": set(ids)}).order_by("priority", "warehouse_id")
    for row in await records(rules.Assignment, assigned):
        found[getattr(row, owner)].append(row)
    return found


async def replace_assignments(owner: str, owner_id: int, new: Sequence[rules.Assignment]) -> None:
    """Replace the assignments of a website or an organization."""
    await Assignment.filter(**{owner: owner_id}).delete()
    await writing.insert(Assignment, new)


async def codes_by_id() -> dict[int, str]:
    """The codes of all warehouses by id."""
    return dict(await Warehouse.all().order_by("code").values_list("id", "code"))
