"""The schema's history, as Tortoise migrations."""
