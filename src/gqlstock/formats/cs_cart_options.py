"""The texts of CS-Cart's exports that hold options: of products, of features, and of combinations.

"(Store) Color: S[Red,Blue///modifier=2.000]///inventory=Y; (Store) Engraving: I///required=N". Only a comma in a value is
escaped, with backslashes.
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
"""Select box, radio group, check box. Texts and files have no values."""


@dataclass(frozen=True, slots=True)
class Described:
    """One option or feature of a text. ``inventory`` is None where the text does not say it."""

    name: str
    values: tuple[str, ...]
    selected: bool
    """Whether one of its values is chosen: not a text or a file."""
    inventory: bool | None
    disabled: bool


def described(text: str) -> list[Described]:
    """The options or features of a cell."""
    found = []
    for part in _NEXT.split(text.strip().rstrip(";")) if text.strip() else ():
        match = _ONE.fullmatch(part.strip())
        if match is None:
            raise invalid(f"{shown(part.strip())!r} is no option: such as Color: S[Red,Blue]///inventory=Y.")
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
        # What follows are prices and pictures of the value; older files have an id before it.
        value = _ESCAPED.sub(",", _ID.sub("", part.strip(), count=1).split("///")[0]).strip()
        if value:
            yield value


def options_of(found: Sequence[Described], *, tracked: bool) -> tuple[Option, ...]:
    """The options with values to choose from. ``tracked``: the product is counted by them.

    Older files do not say which options are for inventory: then all of a product that is counted by options are.
    """
    unsaid = tracked and all(one.inventory is None for one in found)
    return tuple(
        Option(one.name, tuple(map(OptionValue, dict.fromkeys(one.values))), inventory=bool(one.inventory) or unsaid)
        for one in found
        if one.selected and one.values and not one.disabled
    )


def choice_of(text: str, options: Sequence[Option]) -> Pairs:
    """The choice of "Color: Red, Size: M" among known options, each of which it has. Nothing in the text is escaped."""
    wanted = [option for option in options if option.inventory]
    found = list(dict.fromkeys(tuple(sorted(one)) for one in _choices(text.strip(), wanted)))
    if len(found) == 1:
        chosen = dict(found[0])
        return tuple((option.name, chosen[option.name]) for option in wanted)
    known = "; ".join(f"{option.name}: {', '.join(value.name for value in option.values)}" for option in wanted)
    wrong = "is no combination" if not found else "can be read in more than one way as a combination"
    raise invalid(f"Combination {shown(text)!r} {wrong} of: {shown(known) or 'no options'}.")


def _choices(text: str, left: Sequence[Option]) -> Iterator[Pairs]:
    """All ways in which a text has one value of each of the options that are left, in any order."""
    if not left:
        if not text:
            yield ()
        return
    for option in left:
        head = re.match(rf"{re.escape(option.name)}\s*:\s*", text)
        if head is None:
            continue
        others = [one for one in left if one is not option]
        for value in option.values:
            tail = re.match(rf"{re.escape(value.name)}\s*(?:,\s*(?=\S)|$)", text[head.end() :])
            if tail:
                for rest in _choices(text[head.end() + tail.end() :], others):
                    yield ((option.name, value.name), *rest)


def pairs_of(text: str) -> Pairs:
    """The choice of a combination whose product's options are not in the file: pairs by commas, sides by colons."""
    found = []
    for part in re.split(r",\s+", text.strip()):
        name, colon, value = part.partition(":")
        if not (colon and name.strip() and value.strip()):
            raise invalid(f"Combination {shown(text)!r} is no choice such as Color: Red, Size: M.")
        found.append((name.strip(), value.strip()))
    return tuple(found)
