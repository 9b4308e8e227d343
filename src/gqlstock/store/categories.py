"""The table of categories, and queries on their tree."""

from collections.abc import Collection

from tortoise import fields
from tortoise.models import Model
from tortoise.queryset import QuerySet

from gqlstock.rules import categories as rules
from gqlstock.store.db import connection, sql, writing
from gqlstock.store.db.records import by_id, records


class Category(Model):
    id = fields.BigIntField(primary_key=True)
    slug = fields.CharField(max_length=255, unique=True)
    name = fields.CharField(max_length=500)
    parent: fields.ForeignKeyNullableRelation["Category"] = fields.ForeignKeyField(
        "gqlstock.Category", related_name="children", null=True, on_delete=fields.RESTRICT
    )
    parent_id: int | None
    created_at = fields.DatetimeField(auto_now_add=True)
    updated_at = fields.DatetimeField(auto_now=True)

    class Meta:
        table = "category"
        indexes = (("parent_id", "id"),)


async def categories(ids: Collection[int]) -> dict[int, rules.Category]:
    return await by_id(rules.Category, ids)


async def category(slug: str) -> rules.Category | None:
    found = await records(rules.Category, Category.filter(slug=slug))
    return found[0] if found else None


async def by_slug(slugs: Collection[str]) -> list[rules.Category]:
    """The categories with these slugs."""
    return await records(rules.Category, Category.filter(slug__in=set(slugs)))


def every_category() -> QuerySet[Category]:
    return Category.all()


async def children(category_ids: Collection[int]) -> dict[int, list[rules.Category]]:
    """The direct children of each category, sorted by name."""
    found: dict[int, list[rules.Category]] = {category_id: [] for category_id in category_ids}
    below = Category.filter(parent_id__in=set(found)).order_by("name", "id")
    for child in await records(rules.Category, below):
        assert child.parent_id is not None
        found[child.parent_id].append(child)
    return found


async def subtree(category_id: int) -> list[int]:
    """The ids of a category and its descendants."""
    rows = await sql.query(
        """WITH RECURSIVE below(id) AS (
               SELECT id FROM category WHERE id = ?
               UNION SELECT category.id FROM category JOIN below ON category.parent_id = below.id
           ) SELECT id FROM below""",
        category_id,
    )
    return [row["id"] for row in rows]


async def subtrees(category_ids: Collection[int]) -> dict[int, list[int]]:
    """The ids of each category and its descendants."""
    slots = sql.slots(category_ids)
    rows = await sql.query(
        f"""WITH RECURSIVE below(head, id) AS (
               SELECT id, id FROM category WHERE id IN ({slots})
               UNION SELECT below.head, category.id FROM category JOIN below ON category.parent_id = below.id
           ) SELECT head, id FROM below""",
        *category_ids,
    )
    found: dict[int, list[int]] = {category_id: [] for category_id in category_ids}
    for row in rows:
        found[row["head"]].append(row["id"])
    return found


async def chains(category_ids: Collection[int]) -> dict[int, list[tuple[int, str]]]:
    """The ids and slugs of each category and its ancestors, nearest first.

    Uses subqueries, because PostgreSQL scans all categories for a join.
    """
    found: dict[int, list[tuple[int, str]]] = {}
    if not category_ids:
        return found
    slots = sql.slots(category_ids)
    rows = await sql.fetch_raw(
        f"""WITH RECURSIVE above(start, id, depth) AS (
               SELECT id, id, 0 FROM category WHERE id IN ({slots})
               UNION ALL
               SELECT start, (SELECT parent_id FROM category WHERE category.id = above.id), depth + 1
               FROM above WHERE id IS NOT NULL
           ) SELECT start, id, (SELECT slug FROM category WHERE category.id = above.id) AS slug
             FROM above WHERE id IS NOT NULL ORDER BY start, depth""",
        *category_ids,
    )
    for row in rows:
        found.setdefault(row["start"], []).append((row["id"], row["slug"]))
    return found


async def lock_tree() -> None:
    """Lock the tree against other moves: two concurrent moves could create a cycle."""
    if connection.is_postgres():
        await sql.execute("LOCK TABLE category IN SHARE ROW EXCLUSIVE MODE")


async def has_children(category_id: int) -> bool:
    return await Category.exists(parent_id=category_id)


async def insert(new: rules.Category) -> int:
    """Insert a new category. Returns its id."""
    return (await writing.insert(Category, [new]))[0]


async def update(before: rules.Category, after: rules.Category) -> None:
    await writing.update(Category, [(before, after)])


async def delete(category_id: int) -> None:
    await Category.filter(id=category_id).delete()
