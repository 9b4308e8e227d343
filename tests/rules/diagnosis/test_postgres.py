from dataclasses import replace
from typing import Any

import pytest

from gqlstock.rules.diagnosis import postgres
from gqlstock.rules.diagnosis.postgres import ConnectionLimit, PostgresFacts, Setting, Standby, Writer

GOOD_SETTINGS = {
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "synchronous_standby_names": "spare",
    "server_encoding": "UTF8",
    "idle_in_transaction_session_timeout": "0",
}
GOOD = PostgresFacts(
    role="shop",
    database="stock",
    schema="public",
    version=150_020,
    is_standby=False,
    settings={},
    limits=(ConnectionLimit("max_connections (100, of which 3 are reserved)", 97),),
    standbys=(Standby("spare", True),),
    search_index=True,
)
PER_PROCESS = 16


def told(
    workers: int = 1, settings: dict[str, str] | None = None, source: str = "default", **changes: Any
) -> list[str]:
    values = {name: Setting(value, source) for name, value in (GOOD_SETTINGS | (settings or {})).items()}
    facts = replace(GOOD, **{"settings": values, **changes})
    return [str(finding) for finding in postgres.assess(facts, workers, PER_PROCESS)]


def test_nothing_is_found_about_a_server_that_is_set_up_well() -> None:
    assert told() == []


def test_what_is_not_known_is_not_told() -> None:
    assert told(settings=None, limits=(), standbys=(), search_index=None) != []
    facts = replace(GOOD, settings={}, limits=(), standbys=(), search_index=None)
    assert postgres.assess(facts, 100, PER_PROCESS) == []


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        (130_000, []),
        (120_022, ["problem: PostgreSQL is version 12.22. Upgrade it to 13 or later."]),
    ],
)
def test_an_old_version_is_a_problem(version: int, expected: list[str]) -> None:
    assert told(version=version) == expected


def test_a_standby_is_a_problem_and_nothing_is_said_of_its_standbys() -> None:
    assert told(is_standby=True, standbys=()) == [
        "problem: This server is a standby, which takes no writes. Set GQLSTOCK_DATABASE_URL to the primary server."
    ]


def test_another_encoding_is_a_problem() -> None:
    assert told(settings={"server_encoding": "LATIN1"}) == [
        "problem: The encoding of the database stock is LATIN1, which cannot store every text. Dump it and restore it to a "
        "database with the encoding UTF8."
    ]


@pytest.mark.parametrize(
    ("ahead", "expected"),
    [
        (4.9, []),
        (-4.9, []),
        (90, "The clock of this machine is 1 minute behind PostgreSQL's"),
        (-90, "The clock of this machine is 1 minute ahead of PostgreSQL's"),
    ],
)
def test_clocks_that_differ_are_a_problem(ahead: float, expected: str) -> None:
    rest = (
        ", which gqlstock uses. JWTs, certificates and log lines use this machine's: synchronize both, for example "
        "with NTP."
    )
    assert told(clock_ahead=ahead) == ([f"problem: {expected}{rest}"] if expected else [])


@pytest.mark.parametrize(
    ("name", "risk"),
    [
        ("fsync", "If the machine crashes, the whole database may be lost."),
        ("full_page_writes", "If the machine crashes while it writes, pages may be damaged."),
    ],
)
def test_what_a_crash_destroys_is_a_problem(name: str, risk: str) -> None:
    assert told(settings={name: "off"}, source="configuration file") == [
        f"problem: {name} is off. {risk} Set it to on in postgresql.conf, and reload the server (it is set by: "
        "configuration file)."
    ]


@pytest.mark.parametrize(
    ("source", "what_to_do"),
    [
        ("database", 'Run ALTER DATABASE "stock" SET synchronous_commit = on; and restart gqlstock.'),
        ("user", 'Run ALTER ROLE "shop" SET synchronous_commit = on; and restart gqlstock.'),
        (
            "database user",
            'Run ALTER ROLE "shop" IN DATABASE "stock" SET synchronous_commit = on; and restart gqlstock.',
        ),
        (
            "command line",
            "Set it to on in postgresql.conf, and reload the server (it is set by: command line).",
        ),
    ],
)
def test_a_commit_that_does_not_wait_for_the_disk_is_a_problem_where_it_is_set(source: str, what_to_do: str) -> None:
    assert told(settings={"synchronous_commit": "off"}, source=source) == [
        "problem: synchronous_commit is off. If the server crashes, orders that it answered just before are lost. "
        f"{what_to_do}"
    ]


def test_names_are_quoted() -> None:
    (found,) = told(settings={"synchronous_commit": "off"}, source="user", role='the "shop"')

    assert 'ALTER ROLE "the ""shop""" SET' in found


def test_without_a_standby_what_a_disk_loses_is_noted() -> None:
    assert told(settings={"synchronous_standby_names": ""}, standbys=()) == [
        "note: No standby is connected (synchronous_standby_names is empty). If this server's disk is lost, everything since "
        "the last backup is lost. Back up often, archive the write-ahead log, or run a synchronous standby."
    ]


@pytest.mark.parametrize("seen", [False, None])
def test_what_an_asynchronous_standby_loses_is_noted(seen: bool | None) -> None:
    assert told(settings={"synchronous_standby_names": " "}, standbys=(Standby("spare", seen),)) == [
        "note: Connected: 1 asynchronous standby (synchronous_standby_names is empty). If one takes over, orders that were "
        "answered just before are lost. Name it in synchronous_standby_names to prevent it."
    ]


@pytest.mark.parametrize(
    ("names", "standbys", "waits_for"),
    [
        ("spare", (), "1 standby"),
        ("spare, other", (Standby("stranger", False),), "1 standby"),
        ("2 (a, b)", (Standby("a", True),), "2 standbys"),
        ("FIRST 2 (a, b, c)", (Standby("a", True), Standby("c", False)), "2 standbys"),
        ("any 3 (*)", (Standby("a", True), Standby("b", True)), "3 standbys"),
    ],
)
@pytest.mark.parametrize("commit", ["on", "remote_apply", "remote_write"])
def test_a_standby_that_commits_wait_for_without_end_is_a_problem(
    names: str, standbys: tuple[Standby, ...], waits_for: str, commit: str
) -> None:
    connected = sum(bool(standby.synchronous) for standby in standbys)
    settings = {"synchronous_standby_names": names, "synchronous_commit": commit}

    assert told(settings=settings, standbys=standbys) == [
        f"problem: Each commit waits for {waits_for} (synchronous_standby_names is '{names}'), of which {connected} are "
        "connected, so changes wait without end. Start the standby, or take its name out of synchronous_standby_names and "
        "reload the server."
    ]


@pytest.mark.parametrize(
    ("names", "standbys"),
    [
        ("spare", (Standby("spare", True),)),
        ("ANY 1 (a, b)", (Standby("a", True), Standby("b", True))),
        ("2 (a, b)", (Standby("a", None), Standby("b", None))),
    ],
)
def test_standbys_that_confirm_are_no_finding(names: str, standbys: tuple[Standby, ...]) -> None:
    assert told(settings={"synchronous_standby_names": names}, standbys=standbys) == []


def test_commits_that_do_not_wait_for_named_standbys_are_noted() -> None:
    settings = {"synchronous_commit": "local"}

    assert told(settings=settings, standbys=()) == [
        "note: synchronous_commit is local, so commits do not wait for the standbys in synchronous_standby_names (spare). If "
        "one takes over, orders that were answered just before are lost. Set it to on to prevent it."
    ]


@pytest.mark.parametrize(
    ("workers", "expected"),
    [
        (6, []),
        (
            7,
            [
                "problem: 7 processes of gqlstock can open 112 connections, and max_connections (100, of which 3 are "
                "reserved) allows 97. Raise it, or run fewer processes."
            ],
        ),
    ],
)
def test_connections_must_suffice_for_all_processes(workers: int, expected: list[str]) -> None:
    assert told(workers) == expected


def test_each_limit_of_connections_counts() -> None:
    limits = (*GOOD.limits, ConnectionLimit("the CONNECTION LIMIT of the role shop", 10))

    assert told(limits=limits) == [
        "problem: 1 process of gqlstock can open 16 connections, and the CONNECTION LIMIT of the role shop allows 10. "
        "Raise it, or run fewer processes."
    ]


@pytest.mark.parametrize(
    ("used", "left"),
    [(82, 15), (97, 0), (100, 0)],
)
def test_connections_that_others_use_are_noted(used: int, left: int) -> None:
    assert told(used_by_others=81) == []
    assert told(used_by_others=used) == [
        f"note: 1 process of gqlstock can open 16 connections, and other databases use {used} of the server's: at present, "
        f"{left} are left. Raise max_connections, or limit the others."
    ]


def test_a_young_transaction_is_no_finding() -> None:
    writers = (Writer("crm", "crm", 7, seconds=59.9), Writer("crm", "crm", 8), Writer("crm", "crm", None, 3, "gid"))

    assert told(writers=writers, held_back=59.9) == []


def test_an_old_transaction_of_any_database_is_a_problem() -> None:
    writer = Writer("crm", "nightly", 4711, seconds=7_300)

    assert told(writers=(writer,), held_back=7_200) == [
        "problem: A transaction has been open for 2 hours: process 4711, database crm, role nightly. Until it ends, feeds, "
        "subscriptions and webhooks get nothing new. If it should not run, run SELECT pg_terminate_backend(4711);"
    ]


@pytest.mark.parametrize(
    ("timeout", "advice"),
    [
        (
            "0",
            " Its client does nothing: idle_in_transaction_session_timeout (now 0) ends such transactions.",
        ),
        ("60000", ""),
    ],
)
def test_the_timeout_of_idle_transactions_is_told_where_it_helps(timeout: str, advice: str) -> None:
    writer = Writer("crm", "nightly", 4711, seconds=60, idle=True)

    (found,) = told(settings={"idle_in_transaction_session_timeout": timeout}, writers=(writer,))

    assert found.endswith(f"run SELECT pg_terminate_backend(4711);{advice}")


def test_a_prepared_transaction_is_ended_by_its_name() -> None:
    writer = Writer("crm", "nightly", seconds=90_000, prepared="order-7")

    assert told(writers=(writer,)) == [
        "problem: A transaction has been open for 1 day: prepared as 'order-7', database crm, role nightly. Until it ends, "
        "feeds, subscriptions and webhooks get nothing new. Run COMMIT PREPARED or ROLLBACK PREPARED 'order-7' in its "
        "database."
    ]


def test_a_transaction_whose_age_is_hidden_is_a_problem_by_what_waits_for_it() -> None:
    writers = (Writer("crm", "nightly", 4711), Writer("stock", "shop", 12, seconds=1))

    assert told(writers=writers, held_back=180) == [
        "problem: The oldest change has waited 3 minutes for a running transaction, which the role shop may not see. Until "
        "it ends, feeds, subscriptions and webhooks get nothing new. It is one of: process 4711, database crm, role nightly."
    ]


def test_a_role_that_sees_too_little_is_noted() -> None:
    assert told(reads_all_statistics=False) == [
        "note: The role shop may not see when transactions of other roles began, nor which standbys are synchronous. As a "
        'superuser, run GRANT pg_read_all_stats TO "shop";'
    ]


def test_what_cannot_be_read_is_noted() -> None:
    assert told(unreadable=("the standbys (permission denied)",)) == [
        "note: Not checked, because it cannot be read: the standbys (permission denied)."
    ]


def test_a_role_that_may_not_use_the_tables_is_a_problem() -> None:
    assert told(denied=("item", "outbox")) == [
        "problem: The role shop may not read and write 2 tables, such as item. As their owner, run GRANT SELECT, INSERT, "
        'UPDATE, DELETE ON ALL TABLES IN SCHEMA "public" TO "shop"; GRANT USAGE ON ALL SEQUENCES IN SCHEMA "public" TO '
        '"shop";'
    ]
    assert told(schema=None) == [
        "problem: The role shop may use no schema of the database stock. As the owner of the schema, run "
        'GRANT USAGE ON SCHEMA public TO "shop";'
    ]


def test_searches_without_an_index_are_noted() -> None:
    assert told(search_index=False) == [
        "note: The index item_search is missing, so each search for a text reads all items. Install pg_trgm (it is "
        "one of PostgreSQL's contrib modules). As the owner of database and tables, run "
        "CREATE EXTENSION IF NOT EXISTS pg_trgm; "
        "CREATE INDEX CONCURRENTLY item_search ON item USING gin (folded gin_trgm_ops, folded_sku gin_trgm_ops);"
    ]
