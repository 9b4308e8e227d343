from dataclasses import replace

import pytest

from gqlstock.rules.diagnosis import sqlite
from gqlstock.rules.diagnosis.mounts import Mount
from gqlstock.rules.diagnosis.sqlite import SqliteFacts

GIGABYTE = 1_024**3
GOOD = SqliteFacts("/srv/shop.db", GIGABYTE, 20 * GIGABYTE, "wal", Mount("ext4", "/"), 0o600, damage=())


def told(**changes: object) -> list[str]:
    return [str(finding) for finding in sqlite.assess(replace(GOOD, **changes))]


def test_nothing_is_found_about_a_file_that_is_set_up_well() -> None:
    assert told() == []


def test_what_is_not_known_is_not_told() -> None:
    assert told(mount=None, mode=None, damage=None) == []


@pytest.mark.parametrize("kind", ["nfs", "nfs4", "cifs", "smb3", "9p", "fuse.sshfs", "ceph", "vboxsf"])
def test_a_network_file_system_is_a_problem(kind: str) -> None:
    assert told(mount=Mount(kind, "/srv")) == [
        f"problem: /srv/shop.db is on the {kind} file system /srv, on which locks and shared memory do not work reliably, so "
        "the database may be damaged. Move it to a local disk, or use PostgreSQL."
    ]


def test_memory_is_a_problem() -> None:
    assert told(mount=Mount("tmpfs", "/srv")) == [
        "problem: /srv/shop.db is on the tmpfs file system /srv, which is in memory: everything is lost when the machine "
        "restarts. Move it to a disk."
    ]


def test_the_file_system_of_a_container_is_noted() -> None:
    assert told(mount=Mount("overlay", "/")) == [
        "note: /srv/shop.db is on the overlay file system /: everything is lost when the container is removed. "
        "Move it to a volume."
    ]


@pytest.mark.parametrize(
    ("free", "expected"),
    [
        (
            255 * 1_024**2,
            [
                "problem: 255 MB are free on the disk of /srv/shop.db. When it is full, nothing can be written: free some."
            ],
        ),
        (
            256 * 1_024**2,
            [
                "note: 256 MB are free on the disk of /srv/shop.db, less than the database's 1 GB: a backup or a migration "
                "may not fit. Free some."
            ],
        ),
        (GIGABYTE, []),
    ],
)
def test_space_must_be_left_for_changes_and_for_a_copy(free: int, expected: list[str]) -> None:
    assert told(free_octets=free) == expected


def test_another_journal_mode_is_noted_unless_the_file_is_empty() -> None:
    assert told(journal_mode="delete", octets=0) == []
    assert told(journal_mode="delete") == [
        "note: The journal mode of /srv/shop.db is delete, so reads wait for writes. A server sets it to wal when it starts. "
        "If it did, the file system does not support it: move the file to a local disk."
    ]


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        (0o660, []),
        (
            0o644,
            [
                "note: Every user of this machine may read /srv/shop.db (0644), which has customers' addresses and the "
                "secrets of webhooks. Run chmod 600 /srv/shop.db"
            ],
        ),
        (0o666, ["problem: Every user of this machine may write /srv/shop.db (0666). Run chmod 600 /srv/shop.db"]),
    ],
)
def test_other_users_should_not_have_access(mode: int, expected: list[str]) -> None:
    assert told(mode=mode) == expected


def test_a_file_that_may_not_be_written_is_a_problem() -> None:
    assert told(is_writable=False) == [
        "problem: This user may not write /srv/shop.db and its directory. Run gqlstock as their owner, or give them to this "
        "user."
    ]


def test_damage_is_a_problem() -> None:
    assert told(damage=("Page 7: never used",)) == [
        "problem: /srv/shop.db is damaged: Page 7: never used. Restore a backup (docs/backup.md)."
    ]
