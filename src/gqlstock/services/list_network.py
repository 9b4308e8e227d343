"""Lists warehouses, websites and organizations."""

from gqlstock.rules.network import Organization, Warehouse, Website
from gqlstock.stock.lists import QueryRows, Rows
from gqlstock.store import warehouses as rows


def warehouses() -> Rows[Warehouse]:
    return QueryRows(rows.every_warehouse())


def websites() -> Rows[Website]:
    return QueryRows(rows.every_website())


def organizations() -> Rows[Organization]:
    return QueryRows(rows.every_organization())
