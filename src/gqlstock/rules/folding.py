"""What a search compares: texts without case, accents and width, the same for every database. Nothing here searches."""

import unicodedata

from gqlstock.rules import skus

# Letters whose stroke or missing dot is no mark that Unicode takes off.
_PLAIN = str.maketrans({"ı": "i", "ł": "l", "ø": "o", "đ": "d", "ħ": "h", "ŧ": "t"})


def fold(text: str) -> str:
    """A text as it is stored to be searched, and as it is looked for."""
    if not text.isascii():
        # Twice: folding the case of a letter may bring marks of its own, as of İ.
        text = _without_marks(_without_marks(text).casefold()).translate(_PLAIN)
        text = unicodedata.normalize("NFC", skus.normalized(text))
    return " ".join(text.lower().split())


def _without_marks(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKD", text) if unicodedata.category(c) != "Mn")


def folded(*texts: str | None) -> str:
    """Several texts, one to a line: what is looked for has no line break, and never reaches over two of them."""
    return "\n".join(fold(text) for text in texts if text)
