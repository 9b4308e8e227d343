"""Inventory settings."""
