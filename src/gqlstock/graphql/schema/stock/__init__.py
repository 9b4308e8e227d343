"""Levels, the ledger and announced stock."""
