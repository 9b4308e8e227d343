"""Derived fields: functions of an object alone, called only where they are selected."""

from collections.abc import Callable
from typing import Any

import strawberry

MARK = "derived"
"""Where an executor finds the function in the metadata of a field."""


def derived_field(read: Callable[[Any], Any], **options: Any) -> Any:
    """A field of a type, read off its object; ``options`` are those of ``strawberry.field``."""

    def resolve(self: Any) -> Any:
        return read(self)

    return strawberry.field(resolver=resolve, metadata={MARK: read}, **options)
