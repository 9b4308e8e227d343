"""Products, combinations, categories, items and their availability."""
