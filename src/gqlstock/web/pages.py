"""Security headers of all pages: what a page may load and run, and that no other site may frame it."""

from base64 import b64encode
from collections.abc import Sequence
from hashlib import sha256


def headers(*policy: str) -> dict[str, str]:
    """The headers of a page. ``policy`` adds directives to the Content-Security-Policy of all pages."""
    return {
        "Content-Security-Policy": "; ".join(
            ("default-src 'none'", *policy, "base-uri 'none'", "frame-ancestors 'none'")
        ),
        # For browsers without support for frame-ancestors.
        "X-Frame-Options": "DENY",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
    }


def source(text: str) -> str:
    """The CSP source of an inline script or style: a hash of its text."""
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


def inline(page: str, element: str) -> Sequence[str]:
    """The text content of each ``<element>`` in a page."""
    return [part.partition(f"</{element}>")[0] for part in page.split(f"<{element}>")[1:]]
