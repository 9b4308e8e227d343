"""An id as a caller gives it, with the row that it stands for. Refusals show its text."""

from dataclasses import dataclass, field

from gqlstock.rules import canonical


@dataclass(frozen=True, slots=True)
class GivenId:
    """``row_id`` is None for a text that is no id of the expected kind."""

    row_id: int | None = field(metadata=canonical.called("id"))
    text: str = field(metadata=canonical.called(None))

    @property
    def row_ids(self) -> frozenset[int]:
        """The id as the ids that a command names; none for a text that is no id."""
        return frozenset() if self.row_id is None else frozenset({self.row_id})
