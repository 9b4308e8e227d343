"""``gqlstock schema``: prints the schema in GraphQL's schema definition language. Needs no database."""

import importlib

import typer


def schema() -> None:
    """Print the GraphQL schema."""
    # Imported late: building the schema takes most of a second, which other commands need not spend.
    typer.echo(importlib.import_module("gqlstock.app").schema_text().rstrip("\n"))
