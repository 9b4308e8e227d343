"""The category record. ``services.categories`` keeps the tree free of cycles."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Category:
    """A category; one without a parent is at the top."""

    id: int
    slug: str
    name: str
    parent_id: int | None
    created_at: datetime
    updated_at: datetime
