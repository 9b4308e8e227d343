"""Files of other systems: bytes in, records out. Nothing here knows what is stored."""
