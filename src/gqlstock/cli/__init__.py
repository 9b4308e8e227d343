"""The commands. Each stands in a file of its own; how one is run and how it fails is in ``session``."""

from gqlstock.cli import backup, export, import_, migrate, schema, serve, token, verify
from gqlstock.cli.demo import command as demo
from gqlstock.cli.session import commands

app = commands("The inventory server that headless shops put behind their storefront.", plain_errors=True)
app.command("serve")(serve.serve)
app.command("migrate")(migrate.migrate)
app.add_typer(token.app, name="token")
app.add_typer(import_.app, name="import")
app.add_typer(export.app, name="export")
app.command("backup")(backup.backup)
app.command("verify")(verify.verify)
app.command("schema")(schema.schema)
app.command("demo")(demo.demo)
