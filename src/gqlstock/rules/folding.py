"""Folds texts for searching: without case, accents and width, the same for every database. ``store.search`` searches."""

import unicodedata

from gqlstock.rules import skus

# Letters with a stroke or without a dot, which Unicode does not decompose.
_PLAIN = str.maketrans({"ı": "i", "ł": "l", "ø": "o", "đ": "d", "ħ": "h", "ŧ": "t"})


def fold(text: str) -> str:
    """A text as it is stored for searching, and as a search compares it."""
    if not text.isascii():
        # Twice, because folding the case of some letters adds marks, for example of İ.
        text = _without_marks(_without_marks(text).casefold()).translate(_PLAIN)
        text = unicodedata.normalize("NFC", skus.normalized(text))
    return " ".join(text.lower().split())


def _without_marks(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKD", text) if unicodedata.category(c) != "Mn")


def folded(*texts: str | None) -> str:
    """Several folded texts, one per line. A search text has no line break, so that it never matches across two texts."""
    return "\n".join(fold(text) for text in texts if text)
