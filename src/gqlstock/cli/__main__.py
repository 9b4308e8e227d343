"""``python -m gqlstock.cli``: the same commands."""

from gqlstock.cli import app

app()
