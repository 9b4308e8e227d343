from collections.abc import Iterable

import pytest

from gqlstock.rules.diagnosis import processes
from gqlstock.rules.diagnosis.findings import Finding
from gqlstock.rules.diagnosis.processes import DeliveryFacts, Pending, RedisFacts

WITHOUT_REDIS = (
    "note: GQLSTOCK_REDIS_URL is not set: the changes of one of 2 processes reach the others up to a second late, and each "
    "limits requests on its own. Set it to the same Redis for all."
)


def told(findings: Iterable[Finding]) -> list[str]:
    return [str(finding) for finding in findings]


def test_unknown_variables_are_problems() -> None:
    unknown = ["GQLSTOCK_FOO is unknown and has no effect."]

    found = processes.environment(unknown, alerts=False, mail=False, unsubscribe_page=False)

    assert told(found) == ["problem: GQLSTOCK_FOO is unknown and has no effect."]


@pytest.mark.parametrize(
    ("alerts", "mail", "page", "expected"),
    [
        (False, False, False, []),
        (True, True, True, []),
        (
            True,
            False,
            False,
            [
                "problem: GQLSTOCK_ADMIN_EMAILS is set and GQLSTOCK_SMTP_URL is not: mails about alerts are only written to "
                "the log. Set GQLSTOCK_SMTP_URL."
            ],
        ),
        (
            False,
            True,
            False,
            [
                "note: GQLSTOCK_UNSUBSCRIBE_URL is not set: letters link to the address that gqlstock serve listens on. Set "
                "it to a page that shoppers can reach."
            ],
        ),
    ],
)
def test_mail_needs_a_server_and_a_page(alerts: bool, mail: bool, page: bool, expected: list[str]) -> None:
    assert told(processes.environment([], alerts=alerts, mail=mail, unsubscribe_page=page)) == expected


@pytest.mark.parametrize(("number", "expected"), [(1, []), (2, [WITHOUT_REDIS])])
def test_several_processes_without_redis_are_noted(number: int, expected: list[str]) -> None:
    assert told(processes.redis(None, number)) == expected


def test_a_redis_that_does_not_answer_is_a_problem() -> None:
    assert told(processes.redis(RedisFacts("cache:6379", error="connection refused"), 2)) == [
        "problem: Redis at cache:6379 does not answer: connection refused. Until it does, changes reach other processes up "
        "to a second late, and each limits requests on its own. Start it, or correct GQLSTOCK_REDIS_URL."
    ]


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("8.0.1", []),
        ("6.0.0", []),
        ("5.0.14", ["problem: Redis at cache:6379 is version 5.0.14. Upgrade it to 6 or later."]),
        (None, ["note: Not checked, because the Redis user may not run INFO: the version of Redis."]),
    ],
)
def test_an_old_redis_is_a_problem(version: str | None, expected: list[str]) -> None:
    assert told(processes.redis(RedisFacts("cache:6379", version=version), 1)) == expected


@pytest.mark.parametrize(
    ("listeners", "expected"),
    [
        (None, []),
        (0, []),
        (
            1,
            [
                "note: 1 of 3 processes listen to Redis at cache:6379. If the others run, give all the same "
                "GQLSTOCK_REDIS_URL."
            ],
        ),
        (3, []),
    ],
)
def test_processes_that_may_have_another_redis_are_noted(listeners: int | None, expected: list[str]) -> None:
    assert told(processes.redis(RedisFacts("cache:6379", version="8.0.1", listeners=listeners), 3)) == expected


def test_nothing_is_found_where_nothing_waits() -> None:
    assert told(processes.deliveries(DeliveryFacts())) == []


def test_changes_that_wait_are_a_problem_if_there_are_recipients() -> None:
    def waiting(seconds: float, *, has_recipients: bool) -> list[str]:
        facts = DeliveryFacts(changes=1_200, seconds=seconds, has_recipients=has_recipients)
        return told(processes.deliveries(facts))

    assert waiting(299, has_recipients=True) == []
    assert waiting(300, has_recipients=False) == []
    assert waiting(300, has_recipients=True) == [
        "problem: Changes wait to become webhooks and mails: 1,200, the oldest for 5 minutes. Check that a server runs, and "
        "its log."
    ]


@pytest.mark.parametrize(
    ("pending", "expected"),
    [
        (Pending("webhook", 3, 3_599), []),
        (
            Pending("webhook", 3, 7_200),
            [
                "problem: Pending deliveries: 3 webhooks, the oldest for 2 hours. webhookDeliveries(state: PENDING) says why."
            ],
        ),
        (
            Pending("mail", 1, 3_600),
            ["problem: Pending deliveries: 1 mail, the oldest for 1 hour. The log of the servers says why."],
        ),
    ],
)
def test_deliveries_that_fail_for_long_are_a_problem(pending: Pending, expected: list[str]) -> None:
    assert told(processes.deliveries(DeliveryFacts(pending=(pending,)))) == expected


@pytest.mark.parametrize(
    ("ahead", "expected"),
    [
        (-60, []),
        (4.9, []),
        (
            120,
            [
                "problem: The latest change is dated 2 minutes from now, so the clock of the database was set back. Check "
                "that it is right now, for example with NTP."
            ],
        ),
    ],
)
def test_a_change_in_the_future_is_a_problem(ahead: float, expected: list[str]) -> None:
    assert told(processes.deliveries(DeliveryFacts(ahead=ahead))) == expected
