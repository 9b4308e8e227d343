"""Low-inventory alerts."""
