"""``gqlstock schema``: the schema in the schema language. Needs no database."""

import importlib

import typer


def schema() -> None:
    """Print the GraphQL schema."""
    # The schema takes most of a second to build: the other commands do without.
    typer.echo(importlib.import_module("gqlstock.app").schema_text().rstrip("\n"))
