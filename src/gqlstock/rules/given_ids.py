"""An id as a caller sent it, with the row that it identifies. Refusals quote its text."""

from dataclasses import dataclass, field

from gqlstock.rules import canonical


@dataclass(frozen=True, slots=True)
class GivenId:
    """``row_id`` is None if the text is not an id of the expected type."""

    row_id: int | None = field(metadata=canonical.called("id"))
    text: str = field(metadata=canonical.called(None))

    @property
    def row_ids(self) -> frozenset[int]:
        """The row id as a set, as commands name ids; empty for an invalid id."""
        return frozenset() if self.row_id is None else frozenset({self.row_id})
