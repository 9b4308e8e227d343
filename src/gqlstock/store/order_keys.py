"""The key that order access tokens are derived from. It is stored in the database, so all servers share it."""

from tortoise import fields
from tortoise.models import Model

from gqlstock.store.db import sql


class OrderKey(Model):
    """The key that access tokens of orders are made with, in hexadecimal: one row."""

    id = fields.BigIntField(primary_key=True, generated=False)
    key = fields.CharField(max_length=64)

    class Meta:
        table = "order_key"


async def find() -> bytes | None:
    rows = await sql.query("SELECT key FROM order_key")
    return bytes.fromhex(rows[0]["key"]) if rows else None


async def insert(key: bytes) -> None:
    """Store a key unless there is one. If several processes do so at once, the first wins."""
    await sql.execute("INSERT INTO order_key (id, key) VALUES (1, ?) ON CONFLICT (id) DO NOTHING", key.hex())


async def replace(key: bytes) -> None:
    """Store a key, replacing the existing one."""
    await sql.execute(
        "INSERT INTO order_key (id, key) VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET key = excluded.key", key.hex()
    )
