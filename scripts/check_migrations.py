"""Whether the migrations make the tables that the code has, and follow each other in one line."""

import asyncio
import re
import sys
import tempfile
from pathlib import Path

from gqlstock.store.db import connection, migrations, versions
from gqlstock.store.db.connection import SqliteFile


async def missing() -> list[str]:
    with tempfile.TemporaryDirectory() as directory:
        async with connection.opened(SqliteFile(str(Path(directory) / "empty.db")), create=True):
            return await versions.missing()


def heads() -> list[str]:
    """The migrations that no other one comes after."""
    texts = {path.stem: path.read_text() for path in Path(migrations.__path__[0]).glob("[0-9]*.py")}
    followed = {
        name for text in texts.values() for name in re.findall(r"""\(["']gqlstock["'], ["'](\w+)["']\)""", text)
    }
    return sorted(texts.keys() - followed)


found = [f"No migration has it: {operation}" for operation in asyncio.run(missing())]
if len(heads()) > 1:
    found.append(f"More than one migration is the last: {', '.join(heads())}.")
sys.exit("\n".join(found) or 0)
