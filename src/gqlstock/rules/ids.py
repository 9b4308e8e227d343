"""Global ids, which name rows in the API and in webhooks."""

import binascii

UNSTORED = 0
"""The id of a record that is not stored yet."""


def global_id(name: str, row_id: int) -> str:
    """The opaque global id of a row of a type."""
    # The base64 of letters, digits and a colon never contains + or /.
    return binascii.b2a_base64(f"{name}:{row_id}".encode(), newline=False).decode()
