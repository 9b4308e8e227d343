"""Parses the cells of CS-Cart's exports that contain options, features and combinations.

Example: "(Store) Color: S[Red,Blue///modifier=2.000]///inventory=Y; (Store) Engraving: I///required=N". Only commas in
values are escaped, with one or two backslashes.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gqlstock.formats.records import Pairs
from gqlstock.rules.catalog import Option, OptionValue
from gqlstock.rules.refusals import invalid, shown

_HEAD = r"(?:\{\d+\}\s*)?(?:\([^()]*\)\s*)?"
_KIND = r"[A-Z]G?(?=\[|///|;|$)"
_NEXT = re.compile(rf";\s+(?={_HEAD}[^;\[\]]+?:\s*{_KIND})")
_ONE = re.compile(
    rf"{_HEAD}(?P<name>[^\[\]]+?):\s*(?P<kind>[A-Z])G?(?:\[(?P<values>.*)\])?(?P<more>(?:///[^\[\]]*)?)", re.DOTALL
)
_COMMA = re.compile(r"(?<!\\),")
_ESCAPED = re.compile(r"\\{1,2},")
_ID = re.compile(r"\{\d+\}\s*")
_SELECTED = ("S", "R", "C")
"""Select box, radio group, check box. Text and file inputs have no values."""


@dataclass(frozen=True, slots=True)
class Described:
    """One option or feature of a cell. ``inventory`` is None if the cell does not specify it."""

    name: str
    values: tuple[str, ...]
    selected: bool
    """Whether the shopper selects one of its values, instead of entering a text or a file."""
    inventory: bool | None
    disabled: bool


def described(text: str) -> list[Described]:
    """The options or features of a cell."""
    found = []
    for part in _NEXT.split(text.strip().rstrip(";")) if text.strip() else ():
        match = _ONE.fullmatch(part.strip())
        if match is None:
            raise invalid(
                f"{shown(part.strip())!r} is not an option; expected a text such as Color: S[Red,Blue]///inventory=Y."
            )
        more = dict(pair.partition("=")[::2] for pair in match["more"].split("///") if pair)
        found.append(
            Described(
                match["name"].strip(),
                tuple(_values(match["values"] or "")),
                match["kind"] in _SELECTED,
                more["inventory"] == "Y" if "inventory" in more else None,
                more.get("status") == "D",
            )
        )
    return found


def _values(text: str) -> Iterator[str]:
    for part in _COMMA.split(text):
        # Prices and images of the value follow it; older files have an id before it.
        value = _ESCAPED.sub(",", _ID.sub("", part.strip(), count=1).split("///")[0]).strip()
        if value:
            yield value


def options_of(found: Sequence[Described], *, tracked: bool) -> tuple[Option, ...]:
    """The enabled options with values to select from. ``tracked``: the product is tracked by options.

    Older files do not mark inventory options. In that case, all options of a product tracked by options are for inventory.
    """
    unsaid = tracked and all(one.inventory is None for one in found)
    return tuple(
        Option(one.name, tuple(map(OptionValue, dict.fromkeys(one.values))), inventory=bool(one.inventory) or unsaid)
        for one in found
        if one.selected and one.values and not one.disabled
    )


def choice_of(text: str, options: Sequence[Option]) -> Pairs:
    """Parse a choice such as "Color: Red, Size: M" by the known options, because the text escapes nothing.

    Raises ``Refused`` unless exactly one reading has one value of each inventory option.
    """
    wanted = [option for option in options if option.inventory]
    found = list(dict.fromkeys(tuple(sorted(one)) for one in _choices(text.strip(), wanted)))
    if len(found) == 1:
        chosen = dict(found[0])
        return tuple((option.name, chosen[option.name]) for option in wanted)
    known = "; ".join(f"{option.name}: {', '.join(value.name for value in option.values)}" for option in wanted)
    problem = "is not a combination" if not found else "is ambiguous as a combination"
    raise invalid(f"Combination {shown(text)!r} {problem} of: {shown(known) or 'no options'}.")


def _choices(text: str, remaining: Sequence[Option]) -> Iterator[Pairs]:
    """All readings of a text as one value of each remaining option, in any order."""
    if not remaining:
        if not text:
            yield ()
        return
    for option in remaining:
        head = re.match(rf"{re.escape(option.name)}\s*:\s*", text)
        if head is None:
            continue
        others = [other for other in remaining if other is not option]
        for value in option.values:
            tail = re.match(rf"{re.escape(value.name)}\s*(?:,\s*(?=\S)|$)", text[head.end() :])
            if tail:
                for rest in _choices(text[head.end() + tail.end() :], others):
                    yield ((option.name, value.name), *rest)


def pairs_of(text: str) -> Pairs:
    """Parse a choice without known options: pairs are separated by commas, names from values by colons."""
    found = []
    for part in re.split(r",\s+", text.strip()):
        name, colon, value = part.partition(":")
        if not (colon and name.strip() and value.strip()):
            raise invalid(f"Combination {shown(text)!r} is not a choice; expected a text such as Color: Red, Size: M.")
        found.append((name.strip(), value.strip()))
    return tuple(found)
