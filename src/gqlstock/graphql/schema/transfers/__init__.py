"""Transfers on the way."""
