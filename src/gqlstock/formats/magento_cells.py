"""Parses the structured cells of Magento's product export: combinations, attributes, options and categories.

Magento escapes almost nothing in them. A separator therefore only counts if a known key follows it.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from gqlstock.rules.refusals import invalid, shown

_KEY = re.compile(r"(?:^|,)\s*(\w+)=")
_ENCLOSED = re.compile(r'"([^"]*(?:""[^"]*)*)"\s*(?=,|$)')
_NEXT_VARIATION = re.compile(r"\|\s*(?=sku=)")
_NEXT_CUSTOM_OPTION = re.compile(r"\|\s*(?=name=)")
# Keys that Magento writes into a combination besides its attributes.
_NO_ATTRIBUTES = ("sku", "display")
_OF_CUSTOM_OPTION = (
    *("name", "type", "required", "price", "price_type", "sku", "max_characters", "file_extension"),
    *("image_size_x", "image_size_y", "option_title"),
)
_NAME_ENDS = re.compile(r"(?<!\\)/")

Attributes = dict[str, str]


@dataclass(frozen=True, slots=True)
class Variation:
    """A child of a configurable product: its SKU, and its values of the distinguishing attributes, by attribute code."""

    sku: str
    values: Attributes


@dataclass(frozen=True, slots=True)
class Variations:
    """The children of a configurable product. ``labels``: attribute names by code."""

    labels: Attributes
    children: tuple[Variation, ...]


@dataclass(frozen=True, slots=True)
class CustomOption:
    """A custom option, and its values if it has a list of them."""

    name: str
    kind: str
    values: tuple[str, ...]


def pairs(text: str, keys: Collection[str] = ()) -> Attributes:
    """Parse ``a=1,b=2``. A value ends before a comma and a key: one of ``keys``, or any word if there are none."""
    pattern = re.compile(rf"(?:^|,)\s*({'|'.join(map(re.escape, keys))})=") if keys else _KEY
    found = list(pattern.finditer(text))
    ends = [*(match.start() for match in found[1:]), len(text)]
    values: Attributes = {}
    for match, end in zip(found, ends, strict=False):
        values.setdefault(match[1], text[match.end() : end].strip())
    return values


def attributes(text: str) -> Attributes:
    """Parse ``additional_attributes``. Values may be in quotes ("fields enclosure")."""
    values: Attributes = {}
    match = _KEY.search(text)
    while match is not None:
        enclosed = _ENCLOSED.match(text, match.end())
        following = _KEY.search(text, enclosed.end() if enclosed else match.end())
        plain = text[match.end() : following.start() if following else len(text)].strip()
        values.setdefault(match[1], enclosed[1].replace('""', '"') if enclosed else plain)
        match = following
    return values


def variations(text: str, labels: str) -> Variations:
    """Parse the children in ``configurable_variations``. Raises ``Refused`` if the cell is malformed."""
    chunks = _NEXT_VARIATION.split(text)
    if not chunks[0].startswith("sku="):
        raise invalid(f"configurable_variations must start with sku=, but is {shown(text)}.")
    # A word before = is an attribute code only if every child has it. Otherwise it is part of a value.
    first, *others = map(pairs, chunks)
    common = [key for key in first if all(key in other for other in others)]
    named = {code: label or code for code, label in pairs(labels).items()}
    named = named or {code: code for code in common if code not in _NO_ATTRIBUTES}
    keys = [key for key in dict.fromkeys((*named, *common, "display")) if key != "sku"]
    return Variations(named, tuple(_variation(chunk, named, keys) for chunk in chunks))


def _variation(chunk: str, codes: Collection[str], keys: Sequence[str]) -> Variation:
    values = pairs(chunk, keys)
    first = re.search(rf",\s*(?:{'|'.join(map(re.escape, keys))})=", chunk)
    sku = chunk[len("sku=") : first.start() if first else len(chunk)].strip()
    if not sku:
        raise invalid(f"configurable_variations has no SKU in {shown(chunk)}.")
    return Variation(sku, {code: values[code] for code in codes if values.get(code)})


def custom_options(text: str) -> tuple[CustomOption, ...]:
    """Parse ``custom_options``, in file order. The cell repeats an option for each of its values."""
    found: dict[tuple[str, str], dict[str, None]] = {}
    for chunk in _NEXT_CUSTOM_OPTION.split(text):
        said = pairs(chunk, _OF_CUSTOM_OPTION)
        values = found.setdefault((said.get("name", ""), said.get("type", "").lower()), {})
        if said.get("option_title"):
            values[said["option_title"]] = None
    return tuple(CustomOption(name, kind, tuple(values)) for (name, kind), values in found.items())


def root(categories: str) -> str:
    """The root of the first category, such as "Default Category"."""
    return re.split(r"[/,|]", categories, maxsplit=1)[0].strip()


def category_paths(text: str, roots: Collection[str]) -> list[tuple[str, ...]]:
    """The categories as paths below their roots. A comma or ``|`` separates them only if a root follows."""
    return [path for one in _separate(text, roots) if (path := _path(one))]


def _separate(text: str, roots: Collection[str]) -> Iterator[str]:
    parts = re.split(r"([,|])", text)
    here = parts[0]
    for separator, part in zip(parts[1::2], parts[2::2], strict=True):
        if _NAME_ENDS.split(part)[0].strip() in roots:
            yield here
            here = part
        else:
            here += separator + part
    yield here


def _path(text: str) -> tuple[str, ...]:
    _, *names = _NAME_ENDS.split(text)
    return tuple(stripped for name in names if (stripped := name.replace("\\/", "/").strip()))


def listed(text: str) -> list[str]:
    """The entries of a list separated by commas, or by ``|`` if it has no comma."""
    return [stripped for part in text.split("," if "," in text else "|") if (stripped := part.strip())]
