"""Derived fields: functions of their object alone, called only if they are selected."""

from collections.abc import Callable
from typing import Any

import strawberry

MARK = "derived"
"""The key of the function in a field's metadata."""


def derived_field(read: Callable[[Any], Any], **options: Any) -> Any:
    """A field that is computed from its object. ``options`` are those of ``strawberry.field``."""

    def resolve(self: Any) -> Any:
        return read(self)

    return strawberry.field(resolver=resolve, metadata={MARK: read}, **options)
