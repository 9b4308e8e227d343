"""Rows that are put aside and come back by product, however they are tied together."""

from collections.abc import Callable, Sequence
from decimal import Decimal

import pytest

from gqlstock.rules.import_rows import ItemName, LevelCount, Row, Tie
from gqlstock.store.spool import Counts, Products


def lines_by_product(*ties: Tie) -> list[list[int]]:
    """The lines of each product of a file with a row for each tie, from line 1 on."""
    with Products() as spool:
        spool.put([(Row(line, {"n": str(line)}), tie) for line, tie in enumerate(ties, 1)])
        return [[row.line for row in rows] for rows in spool.products()]


def test_rows_of_a_group_belong_together() -> None:
    assert lines_by_product(Tie(group="tee"), Tie(group="mug"), Tie(group="tee")) == [[1, 3], [2]]


def test_a_row_without_a_tie_is_a_product_of_its_own() -> None:
    assert lines_by_product(Tie(), Tie(("A",)), Tie(("A",))) == [[1], [2], [3]]


def test_children_that_name_their_parent_join_it_before_and_behind_it() -> None:
    child = Tie(("12",), group="id:9")

    assert lines_by_product(child, Tie(("id:8",)), Tie(("id:9", "TEE")), child, Tie(("13",), group="TEE")) == [
        [1, 3, 4, 5],
        [2],
    ]


def test_a_parent_that_is_not_there_leaves_its_children_together() -> None:
    assert lines_by_product(Tie(("12",), group="id:9"), Tie(), Tie(("13",), group="id:9")) == [[1, 3], [2]]


def test_a_parent_that_names_its_children_has_them_before_and_behind_it() -> None:
    parent = Tie(("TEE",), members=("TEE-S", "TEE-M", "TEE-L"))

    assert lines_by_product(Tie(("TEE-S",)), parent, Tie(("MUG",)), Tie(("TEE-M",))) == [[1, 2, 4], [3]]


def test_a_child_of_two_parents_belongs_to_the_first() -> None:
    parents = [Tie((sku,), members=("S",)) for sku in ("TEE", "SHIRT")]

    assert lines_by_product(Tie(("S",)), *parents) == [[1, 2], [3]]


def test_a_row_that_names_itself_as_a_member_stays_its_own() -> None:
    assert lines_by_product(Tie(("A",), members=("A",)), Tie(("B",))) == [[1], [2]]


def test_it_is_known_which_refs_a_file_has() -> None:
    with Products() as spool:
        spool.put([(Row(1, {}), Tie(("A", "id:1"), members=("B",)))])

        assert [spool.has_ref(ref) for ref in ("A", "id:1", "B")] == [True, True, False]


def repeated(skus: Sequence[tuple[str, int]]) -> list[tuple[str, int, str, int]]:
    with Products() as spool:
        spool.put_skus(skus)
        return list(spool.repeated_skus())


def test_skus_that_differ_in_case_alone_are_found_with_their_lines() -> None:
    given = [("Tee", 2), ("MUG", 3), ("tee", 5), ("TEE", 7), ("mug-2", 8), ("Strasse", 9), ("STRASSE", 10)]

    assert repeated(given) == [("tee", 5, "Tee", 2), ("TEE", 7, "Tee", 2), ("STRASSE", 10, "Strasse", 9)]


def test_accents_tell_skus_apart() -> None:
    assert repeated([("CAFE", 2), ("CAFÉ", 3)]) == []


def test_counts_come_back_under_the_names_that_they_were_given() -> None:
    one = LevelCount(2, ItemName("MUG", "mug", (("Size", "S"), ("Color", "Red"))), "BERLIN", Decimal("1.5"))
    other = LevelCount(3, ItemName("MUG"), "BERLIN", Decimal(2))

    with Counts() as spool:
        assert list(spool.put([one, other])) == []
        assert [count for part in spool.named() for count in part] == [other, one]
        assert list(spool.warehouses()) == [("BERLIN", 2)]


def test_an_item_has_a_name_for_messages() -> None:
    choice = (("Size", "S"), ("Color", "Red"))

    assert str(ItemName("MUG", "mug", choice)) == "MUG"
    assert str(ItemName("", "mug", choice)) == "mug / S / Red"


@pytest.mark.parametrize(
    "tie",
    [
        lambda n: Tie(group=f"g{n // 10}"),
        lambda n: Tie((f"id:{n}",), group=None if n % 10 == 0 else f"id:{n - n % 10}"),
        lambda n: Tie((f"s{n}",), members=tuple(f"s{n - k}" for k in range(1, 10)) if n % 10 == 9 else ()),
        lambda n: Tie((f"s{n}",)),
    ],
    ids=["groups", "parents", "members", "none"],
)
def test_the_steps_of_a_file_grow_with_its_rows(tie: Callable[[int], Tie]) -> None:
    """Not with their square: in steps of SQLite's virtual machine, which no other work on a machine changes."""

    def steps(count: int) -> int:
        taken = 0

        def step() -> None:
            nonlocal taken
            taken += 1

        with Products() as spool:
            spool._db.set_progress_handler(step, 1_000)
            spool.put([(Row(n, {}), tie(n)) for n in range(count)])
            assert sum(len(rows) for rows in spool.products()) == count
        return taken

    assert steps(4_000) < 5 * steps(1_000)
