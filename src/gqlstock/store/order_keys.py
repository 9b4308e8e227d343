"""The key that access tokens of orders are made with. It is stored in the database, so that all its servers have the same."""

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
    found = await sql.query("SELECT key FROM order_key")
    return bytes.fromhex(found[0]["key"]) if found else None


async def insert(key: bytes) -> None:
    """Store a key, unless there is one. Of several processes that do so at once, the first wins."""
    await sql.execute("INSERT INTO order_key (id, key) VALUES (1, ?) ON CONFLICT (id) DO NOTHING", key.hex())


async def replace(key: bytes) -> None:
    """Store a key in place of the one that is there."""
    await sql.execute(
        "INSERT INTO order_key (id, key) VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET key = excluded.key", key.hex()
    )
