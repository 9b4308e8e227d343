"""What is set up badly for a SQLite file: its file system, space, journal and permissions."""

from collections.abc import Iterator
from dataclasses import dataclass

from gqlstock.rules.diagnosis.findings import Finding, note, problem, size
from gqlstock.rules.diagnosis.mounts import Mount

# Processes on such file systems do not see each other's locks and shared memory reliably.
_SHARED = {
    "9p",
    "afs",
    "ceph",
    "cifs",
    "fuse.ceph",
    "fuse.glusterfs",
    "fuse.rclone",
    "fuse.s3fs",
    "fuse.sshfs",
    "glusterfs",
    "lustre",
    "ncpfs",
    "nfs",
    "nfs4",
    "prl_fs",
    "smb3",
    "smbfs",
    "vboxsf",
    "vmhgfs",
    "fuse.vmhgfs-fuse",
}
_IN_MEMORY = {"tmpfs", "ramfs"}
_OF_CONTAINERS = {"overlay", "aufs"}
_MIN_FREE = 256 * 1024 * 1024
_OTHERS_READ = 0o004
_OTHERS_WRITE = 0o002


@dataclass(frozen=True, slots=True)
class SqliteFacts:
    """``octets``: the size with its write-ahead log; ``mode``: the permission bits; None if other users
    cannot reach the file. ``damage``: what an integrity check found; None if it did not run.
    """

    file: str
    octets: int
    free_octets: int
    journal_mode: str
    mount: Mount | None = None
    mode: int | None = None
    is_writable: bool = True
    damage: tuple[str, ...] | None = None


def assess(facts: SqliteFacts) -> list[Finding]:
    """The findings about a file."""
    return [*_file_system(facts), *_space(facts), *_journal(facts), *_permissions(facts), *_damage(facts)]


def _file_system(facts: SqliteFacts) -> Iterator[Finding]:
    if facts.mount is None:
        return
    where = f"{facts.file} is on the {facts.mount.kind} file system {facts.mount.directory}"
    if facts.mount.kind in _SHARED:
        yield problem(
            f"{where}, on which locks and shared memory do not work reliably, so the database may be damaged. "
            "Move it to a local disk, or use PostgreSQL."
        )
    if facts.mount.kind in _IN_MEMORY:
        yield problem(f"{where}, which is in memory: everything is lost when the machine restarts. Move it to a disk.")
    if facts.mount.kind in _OF_CONTAINERS:
        yield note(f"{where}: everything is lost when the container is removed. Move it to a volume.")


def _space(facts: SqliteFacts) -> Iterator[Finding]:
    free = f"{size(facts.free_octets)} are free on the disk of {facts.file}"
    if facts.free_octets < _MIN_FREE:
        yield problem(f"{free}. When it is full, nothing can be written: free some.")
    elif facts.free_octets < facts.octets:
        yield note(
            f"{free}, less than the database's {size(facts.octets)}: a backup or a migration may not fit. Free some."
        )


def _journal(facts: SqliteFacts) -> Iterator[Finding]:
    if facts.octets and facts.journal_mode != "wal":
        yield note(
            f"The journal mode of {facts.file} is {facts.journal_mode}, so reads wait for writes. A server sets it to wal "
            "when it starts. If it did, the file system does not support it: move the file to a local disk."
        )


def _permissions(facts: SqliteFacts) -> Iterator[Finding]:
    mode = facts.mode or 0
    if not facts.is_writable:
        yield problem(
            f"This user may not write {facts.file} and its directory. Run gqlstock as their owner, or give them to this user."
        )
    if mode & _OTHERS_WRITE:
        yield problem(f"Every user of this machine may write {facts.file} ({mode:04o}). Run chmod 600 {facts.file}")
    elif mode & _OTHERS_READ:
        yield note(
            f"Every user of this machine may read {facts.file} ({mode:04o}), which has customers' addresses and the secrets "
            f"of webhooks. Run chmod 600 {facts.file}"
        )


def _damage(facts: SqliteFacts) -> Iterator[Finding]:
    for line in facts.damage or ():
        yield problem(f"{facts.file} is damaged: {line}. Restore a backup (docs/backup.md).")
