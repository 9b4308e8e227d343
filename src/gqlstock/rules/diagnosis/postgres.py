"""What is set up badly on a PostgreSQL server: durability, standbys, connections, transactions that hold feeds back."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from gqlstock.rules.diagnosis.findings import Finding, count, note, period, problem

OLDEST_VERSION = 13
"""Older versions lack functions that feeds need, such as pg_current_xact_id."""
_MAX_SECONDS_HELD_BACK = 60.0
_MAX_CLOCK_DIFFERENCE = 5.0
_WAITS_FOR_STANDBYS = {"on", "remote_write", "remote_apply"}
# "2 (a, b)", "FIRST 2 (a, b)" and "ANY 2 (a, b)" name how many must confirm; "a, b" means one.
_REQUIRED_STANDBYS = re.compile(r"(?:(?:FIRST|ANY)\s+)?(\d+)\s*\(", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Setting:
    """The value for this role and database, and where it is set, as in pg_settings."""

    value: str
    source: str


@dataclass(frozen=True, slots=True)
class Standby:
    """A connected standby. ``synchronous`` None: the role may not see it."""

    name: str
    synchronous: bool | None


@dataclass(frozen=True, slots=True)
class Writer:
    """A running transaction that writes, in any database of the server.

    ``seconds``: its age; None: the role may not see it. ``prepared``: the name of a prepared transaction, which has no
    process. ``idle``: it waits for its client.
    """

    database: str
    user: str
    process: int | None = None
    seconds: float | None = None
    prepared: str | None = None
    idle: bool = False


@dataclass(frozen=True, slots=True)
class ConnectionLimit:
    """``name``: what limits the connections; ``most``: those that the role can open."""

    name: str
    most: int


@dataclass(frozen=True, slots=True)
class PostgresFacts:
    """``schema``: where the tables are; None if the role may use no schema. ``limits``: on connections of the role.

    ``used_by_others``: sessions of other databases. ``held_back``: seconds that the oldest change has waited for running
    transactions. ``clock_ahead``: seconds that the server's clock is ahead of this machine's. ``search_index`` None: the
    tables were not read. ``denied``: tables that the role may not read and write. ``unreadable``: what could not be read.
    """

    role: str
    database: str
    schema: str | None
    version: int
    is_standby: bool
    settings: Mapping[str, Setting]
    limits: tuple[ConnectionLimit, ...] = ()
    used_by_others: int = 0
    standbys: tuple[Standby, ...] = ()
    writers: tuple[Writer, ...] = ()
    held_back: float = 0.0
    clock_ahead: float = 0.0
    search_index: bool | None = None
    denied: tuple[str, ...] = ()
    reads_all_statistics: bool = True
    unreadable: tuple[str, ...] = ()


def assess(facts: PostgresFacts, processes: int, connections_per_process: int) -> list[Finding]:
    """The findings about a server that as many processes of gqlstock use."""
    return [
        *_server(facts),
        *_durability(facts),
        *_standbys(facts),
        *_connections(facts, processes, processes * connections_per_process),
        *_writers(facts),
        *_tables(facts),
        *_unreadable(facts),
    ]


def _server(facts: PostgresFacts) -> Iterator[Finding]:
    if facts.version < OLDEST_VERSION * 10_000:
        found = f"{facts.version // 10_000}.{facts.version % 10_000}"
        yield problem(f"PostgreSQL is version {found}. Upgrade it to {OLDEST_VERSION} or later.")
    if facts.is_standby:
        yield problem(
            "This server is a standby, which takes no writes. Set GQLSTOCK_DATABASE_URL to the primary server."
        )
    encoding = facts.settings.get("server_encoding")
    if encoding is not None and encoding.value != "UTF8":
        yield problem(
            f"The encoding of the database {facts.database} is {encoding.value}, which cannot store every text. "
            "Dump it and restore it to a database with the encoding UTF8."
        )
    if abs(facts.clock_ahead) >= _MAX_CLOCK_DIFFERENCE:
        direction = "behind" if facts.clock_ahead > 0 else "ahead of"
        yield problem(
            f"The clock of this machine is {period(abs(facts.clock_ahead))} {direction} PostgreSQL's, which gqlstock uses. "
            "JWTs, certificates and log lines use this machine's: synchronize both, for example with NTP."
        )


def _durability(facts: PostgresFacts) -> Iterator[Finding]:
    yield from _must_be_on(facts, "fsync", "If the machine crashes, the whole database may be lost.")
    yield from _must_be_on(facts, "full_page_writes", "If the machine crashes while it writes, pages may be damaged.")
    yield from _must_be_on(
        facts, "synchronous_commit", "If the server crashes, orders that it answered just before are lost."
    )


def _must_be_on(facts: PostgresFacts, name: str, risk: str) -> Iterator[Finding]:
    setting = facts.settings.get(name)
    if setting is not None and setting.value == "off":
        yield problem(f"{name} is off. {risk} {_turn_on(facts, name, setting.source)}")


def _turn_on(facts: PostgresFacts, name: str, source: str) -> str:
    role, database = _quoted(facts.role), _quoted(facts.database)
    place = {
        "database": f"DATABASE {database}",
        "user": f"ROLE {role}",
        "database user": f"ROLE {role} IN DATABASE {database}",
    }.get(source)
    if place is None:
        return f"Set it to on in postgresql.conf, and reload the server (it is set by: {source})."
    return f"Run ALTER {place} SET {name} = on; and restart gqlstock."


def _quoted(name: str) -> str:
    return '"{}"'.format(name.replace('"', '""'))


def _standbys(facts: PostgresFacts) -> Iterator[Finding]:
    names, commit = facts.settings.get("synchronous_standby_names"), facts.settings.get("synchronous_commit")
    if facts.is_standby or names is None or commit is None:
        return
    connected = len(facts.standbys)
    if not names.value.strip():
        yield note(_what_asynchronous_standbys_lose(connected))
    elif commit.value in _WAITS_FOR_STANDBYS:
        required = _required(names.value)
        synchronous = sum(standby.synchronous is not False for standby in facts.standbys)
        if synchronous < required:
            yield problem(
                f"Each commit waits for {count(required, 'standby')} (synchronous_standby_names is {names.value!r}), of "
                f"which {synchronous} are connected, so changes wait without end. Start the standby, or take its name out "
                "of synchronous_standby_names and reload the server."
            )
    elif commit.value == "local":
        yield note(
            f"synchronous_commit is local, so commits do not wait for the standbys in synchronous_standby_names "
            f"({names.value}). If one takes over, orders that were answered just before are lost. Set it to on to prevent it."
        )


def _what_asynchronous_standbys_lose(connected: int) -> str:
    if not connected:
        return (
            "No standby is connected (synchronous_standby_names is empty). If this server's disk is lost, everything since "
            "the last backup is lost. Back up often, archive the write-ahead log, or run a synchronous standby."
        )
    return (
        f"Connected: {count(connected, 'asynchronous standby')} (synchronous_standby_names is empty). If one takes over, "
        "orders that were answered just before are lost. Name it in synchronous_standby_names to prevent it."
    )


def _required(names: str) -> int:
    found = _REQUIRED_STANDBYS.match(names.strip())
    return int(found[1]) if found else 1


def _connections(facts: PostgresFacts, processes: int, needed: int) -> Iterator[Finding]:
    opened = f"{count(processes, 'process', 'processes')} of gqlstock can open {count(needed, 'connection')}"
    too_few = [limit for limit in facts.limits if limit.most < needed]
    for limit in too_few:
        yield problem(f"{opened}, and {limit.name} allows {limit.most}. Raise it, or run fewer processes.")
    if not too_few and facts.limits:
        free = min(limit.most for limit in facts.limits) - facts.used_by_others
        if free < needed:
            yield note(
                f"{opened}, and other databases use {facts.used_by_others} of the server's: at present, {max(free, 0)} are "
                "left. Raise max_connections, or limit the others."
            )


def _writers(facts: PostgresFacts) -> Iterator[Finding]:
    old = [writer for writer in facts.writers if (writer.seconds or 0.0) >= _MAX_SECONDS_HELD_BACK]
    for writer in old:
        yield problem(_held_back_by(writer, facts))
    if not old and facts.held_back >= _MAX_SECONDS_HELD_BACK:
        hidden = [_named(writer) for writer in facts.writers if writer.seconds is None]
        yield problem(
            f"The oldest change has waited {period(facts.held_back)} for a running transaction, which the role "
            f"{facts.role} may not see. Until it ends, feeds, subscriptions and webhooks get nothing new. "
            f"It is one of: {'; '.join(hidden) or 'none that is running now'}."
        )


def _held_back_by(writer: Writer, facts: PostgresFacts) -> str:
    assert writer.seconds is not None
    if writer.prepared is not None:
        end = f"Run COMMIT PREPARED or ROLLBACK PREPARED '{writer.prepared}' in its database."
    else:
        end = f"If it should not run, run SELECT pg_terminate_backend({writer.process});"
        if writer.idle and _has_no_timeout(facts):
            end += " Its client does nothing: idle_in_transaction_session_timeout (now 0) ends such transactions."
    return (
        f"A transaction has been open for {period(writer.seconds)}: {_named(writer)}. Until it ends, feeds, subscriptions "
        f"and webhooks get nothing new. {end}"
    )


def _named(writer: Writer) -> str:
    what = f"process {writer.process}" if writer.prepared is None else f"prepared as '{writer.prepared}'"
    return f"{what}, database {writer.database}, role {writer.user}"


def _has_no_timeout(facts: PostgresFacts) -> bool:
    timeout = facts.settings.get("idle_in_transaction_session_timeout")
    return timeout is not None and timeout.value == "0"


def _tables(facts: PostgresFacts) -> Iterator[Finding]:
    role = _quoted(facts.role)
    if facts.schema is None:
        yield problem(
            f"The role {facts.role} may use no schema of the database {facts.database}. As the owner of the schema, run "
            f"GRANT USAGE ON SCHEMA public TO {role};"
        )
    elif facts.denied:
        schema = _quoted(facts.schema)
        yield problem(
            f"The role {facts.role} may not read and write {count(len(facts.denied), 'table')}, such as {facts.denied[0]}. "
            f"As their owner, run GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {role}; "
            f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA {schema} TO {role};"
        )
    if facts.search_index is False:
        yield note(
            "The index item_search is missing, so each search for a text reads all items. Install pg_trgm (it is "
            "one of PostgreSQL's contrib modules). As the owner of database and tables, run "
            "CREATE EXTENSION IF NOT EXISTS pg_trgm; "
            "CREATE INDEX CONCURRENTLY item_search ON item USING gin (folded gin_trgm_ops, folded_sku gin_trgm_ops);"
        )


def _unreadable(facts: PostgresFacts) -> Iterator[Finding]:
    if not facts.reads_all_statistics:
        yield note(
            f"The role {facts.role} may not see when transactions of other roles began, nor which standbys are synchronous. "
            f"As a superuser, run GRANT pg_read_all_stats TO {_quoted(facts.role)};"
        )
    for what in facts.unreadable:
        yield note(f"Not checked, because it cannot be read: {what}.")
