"""Global ids: how the API names a row, in answers and in webhooks alike."""

import binascii

UNSTORED = 0
"""The id of a record that is not stored yet."""


def global_id(name: str, row_id: int) -> str:
    """The opaque id of a row of that type."""
    # Of letters, digits and the colon no byte is made that base64 writes as + or /.
    return binascii.b2a_base64(f"{name}:{row_id}".encode(), newline=False).decode()
