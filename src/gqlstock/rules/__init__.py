"""Every business rule, pure: no await, no clock, no rows, no third-party import. Time and ids come in as arguments."""
