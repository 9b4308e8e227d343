"""Global ids, which identify rows in the API and in webhooks."""

import binascii

UNSTORED = 0
"""The id of a record that has not been stored yet."""


def global_id(name: str, row_id: int) -> str:
    """The opaque global id of a row of the given type."""
    # The base64 of letters, digits and a colon never contains + or /.
    return binascii.b2a_base64(f"{name}:{row_id}".encode(), newline=False).decode()
