"""``gqlstock doctor``: says what is set up badly, and what to do. Writes nothing."""

import asyncio
import os
from typing import Annotated

import typer

from gqlstock import config
from gqlstock.adapters import bus
from gqlstock.cli import session
from gqlstock.config import UNSUBSCRIBE, Config
from gqlstock.rules.diagnosis import findings, processes
from gqlstock.rules.diagnosis.findings import Finding, Severity
from gqlstock.services import diagnosis


def doctor(
    workers: Annotated[int, typer.Option(help="Number of server processes, on all machines together.", min=1)] = 1,
    integrity: Annotated[
        bool, typer.Option("--integrity", help="Also check all pages of a SQLite file. Reads all of it.")
    ] = False,
) -> None:
    """Say what is set up badly, and what to do. Exit code 1 if there is a problem."""
    found = findings.in_order(asyncio.run(_diagnose(session.config(), workers, integrity)))
    for finding in found:
        typer.echo(str(finding))
    problems = sum(finding.severity is Severity.PROBLEM for finding in found)
    if problems:
        session.say(f"{findings.count(problems, 'problem')}.")
        raise typer.Exit(1)
    typer.echo("No problems found.")


async def _diagnose(settings: Config, workers: int, integrity: bool) -> list[Finding]:
    redis = await bus.inspect(settings.redis) if settings.redis is not None else None
    alerts = bool(settings.admin_emails)
    return [
        *processes.environment(
            config.unknown(os.environ),
            alerts=alerts,
            mail=settings.smtp is not None,
            unsubscribe_page=bool(os.environ.get(UNSUBSCRIBE, "").strip()),
        ),
        *await diagnosis.diagnose(settings.database, workers, alerts=alerts, integrity=integrity),
        *processes.redis(redis, workers),
    ]
