"""An id as a caller gives it, beside the row that it stands for: what a refusal can name."""

from dataclasses import dataclass, field

from gqlstock.rules import canonical


@dataclass(frozen=True, slots=True)
class Handle:
    """``row_id`` is None for a text that is no id of that kind."""

    row_id: int | None = field(metadata=canonical.called("id"))
    text: str = field(metadata=canonical.called(None))
