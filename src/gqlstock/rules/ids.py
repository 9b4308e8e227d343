"""Global ids: how the API names a row, in answers and in webhooks alike."""

import base64


def global_id(name: str, row_id: int) -> str:
    """The opaque id of a row of that type."""
    return base64.urlsafe_b64encode(f"{name}:{row_id}".encode()).decode()
