from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gqlstock.rules import orders, quantity_rules
from gqlstock.rules.refusals import QuantityNotAllowed, QuantityRules


def rules(minimum=None, maximum=None, increment=None, allowed=None, decimals=False):
    def units(number):
        return None if number is None else Decimal(number)

    return QuantityRules(
        minimum=units(minimum),
        maximum=units(maximum),
        increment=units(increment),
        allowed=None if allowed is None else tuple(Decimal(one) for one in allowed),
        decimals=decimals,
    )


def broken(*parts, **given_rules):
    """What an item's lines of so many units break, in words; None where they break nothing."""
    units = [Decimal(part) for part in parts]
    found = orders.check_quantity(sum(units), units, rules(**given_rules), "TEE")
    return found[0].message if found else None


@pytest.mark.parametrize(
    ("parts", "given_rules"),
    [
        pytest.param(["7"], {}, id="without-rules-any-whole-number"),
        pytest.param(["2"], {"minimum": "2"}, id="exactly-the-minimum"),
        pytest.param(["10"], {"maximum": "10"}, id="exactly-the-maximum"),
        pytest.param(["12"], {"increment": "6"}, id="two-steps-of-six"),
        pytest.param(["6"], {"increment": "6", "minimum": "4"}, id="steps-are-counted-from-0-not-from-the-minimum"),
        pytest.param(["12"], {"allowed": ["6", "12"]}, id="one-of-the-allowed"),
        pytest.param(["7"], {"allowed": []}, id="an-empty-list-is-as-unset"),
        pytest.param(["2.5"], {"decimals": True}, id="parts-of-a-unit-where-they-are-sold"),
        pytest.param(["0.75"], {"decimals": True, "increment": "0.25"}, id="three-quarter-steps"),
        pytest.param(["1", "1"], {"minimum": "2"}, id="two-lines-of-one-item-count-together-for-the-minimum"),
        pytest.param(["2", "4"], {"increment": "6"}, id="two-lines-of-one-item-count-together-for-the-step"),
        pytest.param(["2", "4"], {"allowed": ["6"]}, id="two-lines-of-one-item-count-together-for-the-allowed"),
    ],
)
def test_a_quantity_within_the_rules_can_be_ordered(parts, given_rules):
    assert broken(*parts, **given_rules) is None


@pytest.mark.parametrize(
    ("parts", "given_rules", "message"),
    [
        pytest.param(
            ["1"], {"minimum": "2"}, "1 of TEE cannot be ordered: the minimum is 2.", id="fewer-than-the-minimum"
        ),
        pytest.param(
            ["11"], {"maximum": "10"}, "11 of TEE cannot be ordered: the maximum is 10.", id="more-than-the-maximum"
        ),
        pytest.param(
            ["6", "5"],
            {"maximum": "10"},
            "11 of TEE cannot be ordered: the maximum is 10.",
            id="two-lines-of-one-item-count-together",
        ),
        pytest.param(
            ["8"],
            {"increment": "6"},
            "8 of TEE cannot be ordered: it is sold in multiples of 6.",
            id="between-two-steps",
        ),
        pytest.param(
            ["10"],
            {"increment": "6", "minimum": "4"},
            "10 of TEE cannot be ordered: it is sold in multiples of 6.",
            id="steps-are-counted-from-0-not-from-the-minimum",
        ),
        pytest.param(
            ["7"],
            {"allowed": ["6", "12"]},
            "7 of TEE cannot be ordered: the allowed quantities are 6, 12.",
            id="none-of-the-allowed",
        ),
        pytest.param(["2.5"], {}, "2.5 of TEE cannot be ordered: only whole units are sold.", id="half-a-unit"),
        pytest.param(
            ["0.5", "0.5"], {}, "1 of TEE cannot be ordered: only whole units are sold.", id="two-halves-are-no-unit"
        ),
        pytest.param(
            ["0.3"],
            {"decimals": True, "increment": "0.25"},
            "0.3 of TEE cannot be ordered: it is sold in multiples of 0.25.",
            id="between-two-quarter-steps",
        ),
        pytest.param(
            ["1.5"],
            {"minimum": "2", "maximum": "1", "increment": "2", "allowed": ["4"]},
            "1.5 of TEE cannot be ordered: only whole units are sold; the minimum is 2; the maximum is 1; "
            "it is sold in multiples of 2; the allowed quantities are 4.",
            id="everything-at-once",
        ),
    ],
)
def test_a_quantity_against_the_rules_is_refused_with_all_that_is_wrong(parts, given_rules, message):
    assert broken(*parts, **given_rules) == message


def test_the_refusal_carries_what_was_asked_and_what_is_allowed():
    found = orders.check_quantity(Decimal(1), [Decimal(1)], rules(minimum="2"), "TEE")

    assert found == [
        QuantityNotAllowed(
            message="1 of TEE cannot be ordered: the minimum is 2.",
            sku="TEE",
            requested=Decimal(1),
            rules=QuantityRules(minimum=Decimal(2)),
        )
    ]


@given(st.integers(1, 10**15 - 1), st.integers(1, 10**15 - 1))
def test_steps_are_exact_whatever_their_size(count, step):
    total, increment = Decimal(count).scaleb(-4), Decimal(step).scaleb(-4)

    found = orders.check_quantity(total, [total], QuantityRules(increment=increment, decimals=True), "TEE")

    assert bool(found) is bool(count % step)


@pytest.mark.parametrize(
    ("given_rules", "least"),
    [
        pytest.param({}, "1", id="one-where-whole-units-are-sold"),
        pytest.param({"decimals": True}, "0.0001", id="the-smallest-part-where-parts-are-sold"),
        pytest.param({"minimum": "5"}, "5", id="the-minimum"),
        pytest.param({"minimum": "2.5"}, "3", id="a-minimum-between-two-whole-units-is-rounded-up"),
        pytest.param({"minimum": "2.5", "decimals": True}, "2.5", id="a-minimum-of-parts"),
        pytest.param({"increment": "6"}, "6", id="one-pack-of-six"),
        pytest.param({"increment": "6", "minimum": "7"}, "12", id="the-first-step-from-the-minimum-on"),
        pytest.param({"increment": "1.5"}, "3", id="the-first-step-that-is-whole"),
        pytest.param({"increment": "0.25", "minimum": "0.3", "decimals": True}, "0.5", id="steps-of-a-quarter"),
        pytest.param({"allowed": ["12", "6"]}, "6", id="the-least-of-the-allowed"),
        pytest.param({"allowed": ["6", "10", "12"], "minimum": "7", "increment": "6"}, "12", id="an-allowed-that-fits"),
        pytest.param({"allowed": ["0.5", "2"]}, "2", id="a-whole-one-of-the-allowed"),
        pytest.param({"maximum": "1"}, "1", id="at-most-one"),
        pytest.param({"minimum": "5", "maximum": "4"}, None, id="the-minimum-is-over-the-maximum"),
        pytest.param({"increment": "6", "maximum": "5"}, None, id="a-step-is-over-the-maximum"),
        pytest.param({"allowed": ["2"], "minimum": "3"}, None, id="the-allowed-are-under-the-minimum"),
        pytest.param({"allowed": ["5"], "maximum": "4"}, None, id="the-allowed-are-over-the-maximum"),
        pytest.param({"allowed": ["0.5"]}, None, id="the-allowed-are-parts-where-whole-units-are-sold"),
        pytest.param({"increment": "33333333333.3333"}, None, id="the-first-whole-step-is-out-of-range"),
    ],
)
def test_the_least_that_can_be_ordered_is_the_smallest_quantity_within_the_rules(given_rules, least):
    assert quantity_rules.least_quantity(rules(**given_rules)) == (None if least is None else Decimal(least))


_FEW = st.none() | st.integers(1, 24)


@given(
    minimum=_FEW, maximum=_FEW, increment=_FEW, allowed=st.lists(st.integers(1, 24), max_size=4), whole=st.booleans()
)
def test_the_least_that_can_be_ordered_is_what_trying_every_quantity_finds(minimum, maximum, increment, allowed, whole):
    # Halves where whole units are sold, the smallest parts where parts are: of both, every quantity can be tried.
    step = Decimal("0.5") if whole else Decimal("0.0001")
    given_rules = rules(
        *(None if one is None else one * step for one in (minimum, maximum, increment)),
        allowed=[one * step for one in allowed] or None,
        decimals=not whole,
    )
    tried = (number * step for number in range(1, 100))
    fitting = (q for q in tried if not orders.check_quantity(q, [q], given_rules, "TEE"))

    assert quantity_rules.least_quantity(given_rules) == next(fitting, None)


def test_orders_are_numbered_from_100001():
    assert orders.number(1) == "100001"


@given(st.integers(1, 10**17))
def test_a_number_leads_back_to_its_order(order_id):
    assert orders.id_of(orders.number(order_id)) == order_id


@pytest.mark.parametrize(
    "number",
    [
        pytest.param("", id="nothing"),
        pytest.param("A100001", id="a-letter"),
        pytest.param("-100001", id="a-sign"),
        pytest.param("100001.0", id="a-fraction"),
        pytest.param("١٠٠٠٠١", id="digits-of-another-script"),
        pytest.param("²", id="a-raised-digit"),
        pytest.param("100000", id="before-the-first"),
        pytest.param("7", id="far-before-the-first"),
        pytest.param("9" * 19, id="more-than-any-database-counts"),
    ],
)
def test_what_is_no_number_leads_nowhere(number):
    assert orders.id_of(number) is None


@pytest.mark.parametrize(
    ("waiting", "hidden", "shown"),
    [
        ((0, 3), False, (0, 3)),
        ((0, 3), True, (2, 5)),
        ((0, 0), True, (0, 0)),
        ((2, 5), True, (2, 5)),
    ],
)
def test_where_quantities_are_hidden_all_lines_of_an_item_wait_or_none(waiting, hidden, shown):
    units = [Decimal(one) for one in waiting]

    assert orders.shown_waiting([Decimal(2), Decimal(5)], units, hidden=hidden) == [Decimal(one) for one in shown]
