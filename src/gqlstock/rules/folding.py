"""Folds texts for search: ignores case, accents and width, the same on every database. ``store.search`` searches."""

import unicodedata

from gqlstock.rules import skus

# Letters with a stroke, or without a dot, that Unicode does not decompose.
_PLAIN = str.maketrans({"ı": "i", "ł": "l", "ø": "o", "đ": "d", "ħ": "h", "ŧ": "t"})


def fold(text: str) -> str:
    """The form of a text that is stored for search and that searches compare."""
    if not text.isascii():
        # Twice, because case folding adds marks to some letters, such as İ.
        text = _without_marks(_without_marks(text).casefold()).translate(_PLAIN)
        text = unicodedata.normalize("NFC", skus.normalized(text))
    return " ".join(text.lower().split())


def _without_marks(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKD", text) if unicodedata.category(c) != "Mn")


def folded(*texts: str | None) -> str:
    """Folded texts, one per line. A search text contains no line break, so it never matches across two texts."""
    return "\n".join(fold(text) for text in texts if text)
