"""``python -m gqlstock``: the command."""

from gqlstock.cli import app

app()
