"""Generates the SKUs that a file lacks, and reports the SKUs that are taken."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from gqlstock.formats import records
from gqlstock.rules import refusals
from gqlstock.rules.catalog import Choice
from gqlstock.rules.import_rows import Faults
from gqlstock.rules.refusals import Code
from gqlstock.store import catalog as rows
from gqlstock.store.spool import Products


@dataclass(frozen=True, slots=True)
class WantedSku:
    """The SKU of a new item: the given one, or one to generate from the stem and the choice."""

    line: int
    stem: str
    choice: Choice
    given: str | None


def taken(line: int, sku: str, faults: Faults) -> None:
    """Report a SKU of the file that belongs to another item."""
    faults.add(line, f"The item {refusals.shown(sku)} already exists.", Code.ALREADY_EXISTS)


def repeated(sku: str, line: int, other: str, before: int, faults: Faults) -> None:
    """Report a SKU that repeats one of an earlier line, exactly or in different case."""
    place = faults.files.place(before)
    if sku == other:
        faults.add(line, f"The SKU {refusals.shown(sku)} already appears on {place}.")
    else:
        faults.add(line, f"The SKU {refusals.shown(sku)} differs from {refusals.shown(other)} on {place} only in case.")


async def free(wanted: Sequence[WantedSku], file: Products) -> list[str]:
    """A SKU for each new item: the given one, or one that is unused in both the catalog and the file."""
    given = {one.given for one in wanted if one.given is not None}
    used: set[str] = set()
    while True:
        made = _made(wanted, used, file)
        clashing = await rows.ids_by_sku(set(made) - given)
        if not clashing:
            return made
        used |= clashing.keys()


def _made(wanted: Sequence[WantedSku], used: Collection[str], file: Products) -> list[str]:
    known = _Known(set(used), file)
    made = []
    for one in wanted:
        made.append(one.given or records.made_sku(one.stem, one.choice, known))
        known.here.add(made[-1])
    return made


@dataclass(frozen=True, slots=True)
class _Known:
    """The SKUs of the file and those generated so far. Stored SKUs are checked afterwards in one query."""

    here: set[str]
    file: Products

    def __contains__(self, sku: object) -> bool:
        return sku in self.here or sku in self.file
