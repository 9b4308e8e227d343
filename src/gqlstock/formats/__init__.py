"""File formats of other systems: bytes in, records out. Independent of stored data."""
