"""What every page of ours tells a browser: what it may load and run, and that no other site may show it in a frame."""

from base64 import b64encode
from collections.abc import Sequence
from hashlib import sha256


def headers(*policy: str) -> dict[str, str]:
    """The headers of a page; ``policy``: the rules of its Content-Security-Policy besides those that all pages have."""
    return {
        "Content-Security-Policy": "; ".join(
            ("default-src 'none'", *policy, "base-uri 'none'", "frame-ancestors 'none'")
        ),
        # For browsers that do not know frame-ancestors.
        "X-Frame-Options": "DENY",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
    }


def source(text: str) -> str:
    """What a policy calls a script or a style that stands in the page itself: by what is in it."""
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


def inline(page: str, element: str) -> Sequence[str]:
    """What stands in a page between each ``<element>`` and its end."""
    return [part.partition(f"</{element}>")[0] for part in page.split(f"<{element}>")[1:]]
