"""Finds the file system of a file in Linux's table of mounts."""

import re
from dataclasses import dataclass

_ESCAPED = re.compile(r"\\([0-7]{3})")


@dataclass(frozen=True, slots=True)
class Mount:
    """A mounted file system: its kind, such as ``ext4``, and its directory."""

    kind: str
    directory: str


def mount_of(path: str, table: str) -> Mount | None:
    """The mount that holds an absolute path without links. ``table``: the text of /proc/self/mountinfo."""
    found: Mount | None = None
    for line in table.splitlines():
        place, _, source = line.partition(" - ")
        fields, kind = place.split(" "), source.partition(" ")[0]
        if len(fields) < 5 or not kind:
            continue
        directory = _ESCAPED.sub(lambda code: chr(int(code[1], 8)), fields[4])
        # A later mount on the same directory hides an earlier one.
        if _holds(directory, path) and (found is None or len(directory) >= len(found.directory)):
            found = Mount(kind, directory)
    return found


def _holds(directory: str, path: str) -> bool:
    return directory == "/" or path == directory or path.startswith(f"{directory}/")
