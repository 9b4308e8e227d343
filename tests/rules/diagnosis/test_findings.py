import pytest

from gqlstock.rules.diagnosis import findings
from gqlstock.rules.diagnosis.findings import note, problem


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.4, "0 seconds"),
        (1, "1 second"),
        (59.9, "59 seconds"),
        (60, "1 minute"),
        (3_599, "59 minutes"),
        (7_200, "2 hours"),
        (86_400 * 3, "3 days"),
    ],
)
def test_a_period_is_told_in_its_largest_unit(seconds: float, text: str) -> None:
    assert findings.period(seconds) == text


@pytest.mark.parametrize(
    ("octets", "text"),
    [(0, "0 bytes"), (1_023, "1023 bytes"), (1_024, "1 KB"), (12 * 1_024**2, "12 MB"), (5_000 * 1_024**4, "5000 TB")],
)
def test_a_size_is_told_in_its_largest_unit(octets: int, text: str) -> None:
    assert findings.size(octets) == text


def test_nouns_agree_with_their_number() -> None:
    told = [
        findings.count(1, "process", "processes"),
        findings.count(2, "process", "processes"),
        findings.count(1_200, "mail"),
    ]

    assert told == ["1 process", "2 processes", "1,200 mails"]


def test_problems_come_first_and_else_the_order_stays() -> None:
    given = [note("a"), problem("b"), note("c"), problem("d")]

    assert [str(one) for one in findings.in_order(given)] == ["problem: b", "problem: d", "note: a", "note: c"]
