"""The canonical text and digest of a mutation's input, independent of spelling. Idempotency keys compare digests.

The text uses the names of the API and omits defaults, so new fields and refactorings do not alter the digest of an
existing input. A change that does alter digests needs a new ``VERSION``.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, Field, fields, is_dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from typing import Any

from gqlstock.rules import quantities, skus

VERSION = "2"
"""The prefix of each digest. Early releases wrote digests without a version."""

_NAME = "api"


def called(name: str | None) -> dict[str, str | None]:
    """Metadata of a field: its API name, if different; None omits the field."""
    return {_NAME: name}


def digest(request: object) -> str:
    """The digest of a parsed input, a frozen dataclass."""
    return f"{VERSION}:{hashlib.sha256(text(request).encode()).hexdigest()[:60]}"


def is_comparable(digest: str) -> bool:
    """Whether a digest has the current version."""
    return digest.startswith(f"{VERSION}:")


def text(request: object) -> str:
    return json.dumps(_plain(request), sort_keys=True, separators=(",", ":"))


def _plain(value: Any) -> Any:
    match value:
        case Enum():
            return value.value
        case Decimal():
            return quantities.text(value)
        case float():
            return value + 0.0
        case datetime():
            return (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(UTC).isoformat()
        case str():
            return skus.normalized(value)
        case Mapping():
            return {name: _plain(one) for name, one in value.items()}
        case Sequence():
            return [_plain(one) for one in value]
    if is_dataclass(value):
        return {name: _plain(one) for f in fields(value) for name, one in _named(f, getattr(value, f.name))}
    return value


def _named(f: Field[Any], value: Any) -> list[tuple[str, Any]]:
    name = f.metadata.get(_NAME, _camel_case(f.name))
    default = f.default if f.default_factory is MISSING else f.default_factory()
    return [] if name is None or value is None or value == default else [(name, value)]


def _camel_case(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(other.capitalize() for other in others)
