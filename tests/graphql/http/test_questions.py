"""How often one address may ask about one item."""

from gqlstock.graphql.http.questions import Questions
from gqlstock.rules.limits import Rate


def test_each_item_and_each_address_is_counted_by_itself_and_anew_in_each_window() -> None:
    now = [0.0]
    questions = Questions(Rate(2, 60), lambda: now[0])

    assert [questions.ask("203.0.113.7", {1}) for _ in range(3)] == [set(), set(), {1}]
    assert questions.ask("203.0.113.7", {1, 2}) == {1}
    assert questions.ask("203.0.113.8", {1}) == set()
    now[0] = 59.5
    assert (questions.ask("203.0.113.7", {1}), questions.wait) == ({1}, 1)
    now[0] = 60.0
    assert (questions.ask("203.0.113.7", {1}), questions.wait) == (set(), 60)


def test_what_it_remembers_is_bounded() -> None:
    questions = Questions(Rate(1, 60), lambda: 0.0)

    for item in range(60_000):
        questions.ask("203.0.113.7", {item})

    assert questions.remembered == 50_000
