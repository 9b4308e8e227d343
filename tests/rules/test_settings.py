import json
from dataclasses import asdict
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gqlstock.rules import fallback, settings
from gqlstock.rules.catalog import InventoryStatus
from gqlstock.rules.fallback import Origin, Place
from gqlstock.rules.refusals import Code, QuantityRules, Refusal, Refused
from gqlstock.rules.settings import (
    BackorderMode,
    InsufficientStockAction,
    InventoryDecrement,
    LowStockActivity,
    Settings,
    SettingScope,
    SourceSelection,
)

DEFAULTS = {
    "manageStock": True,
    "decrementInventory": InventoryDecrement.ON_ORDER,
    "backorders": BackorderMode.NO_BACKORDERS,
    "insufficientStock": InsufficientStockAction.REJECT,
    "sourceSelection": SourceSelection.PRIORITY,
    "outOfStockThreshold": 0,
    "onlyXLeftThreshold": None,
    "highlightLowInventory": False,
    "lowInventoryThreshold": 0,
    "notifyBelow": None,
    "minimumStockQuantity": None,
    "lowStockActivity": LowStockActivity.NOTHING,
    "minimumOrderQuantity": None,
    "maximumOrderQuantity": None,
    "allowedQuantities": None,
    "quantityIncrement": None,
    "quantityUsesDecimals": False,
    "allowMultipleBoxes": False,
    "displayAvailability": True,
    "displayStockQuantity": False,
    "allowBackInStockSubscriptions": True,
    "availabilityRange": None,
    "upcoming": False,
    "availabilityDate": None,
    "hideLabelsPastAvailabilityDate": True,
    "backordersFromIncoming": False,
    "incomingBufferDays": 0,
    "returnable": True,
    "restockOnReturn": True,
    "allowOnlyExistingCombinations": True,
    "visibleStatuses": (InventoryStatus.IN_STOCK, InventoryStatus.OUT_OF_STOCK),
    "orderableStatuses": (InventoryStatus.IN_STOCK,),
}

SOME_VALUES = {
    "manage_stock": st.booleans(),
    "out_of_stock_threshold": st.decimals("-10", "10", places=1),
    "notify_below": st.decimals("0", "10", places=1),
    "backorders": st.sampled_from(BackorderMode),
    "allowed_quantities": st.lists(st.decimals("1", "10", places=0), max_size=3).map(tuple),
    "availability_range": st.sampled_from(["", "2 days", "2-4 weeks"]),
    "visible_statuses": st.lists(st.sampled_from(InventoryStatus), max_size=3).map(tuple),
}
SOME_PLACES = st.lists(
    st.fixed_dictionaries({}, optional={name: st.none() | values for name, values in SOME_VALUES.items()}), max_size=6
)


def place(scope=SettingScope.PRODUCT, owner="TEE", **values):
    return Place(scope, owner, values)


def refusals(changes, effective=None, scope=SettingScope.PRODUCT, **told):
    """What is wrong with new values where the rest is as by default."""
    in_effect = effective or fallback.resolve([place(**changes)])
    with pytest.raises(Refused) as refused:
        settings.check(changes, in_effect, scope, **told)
    return refused.value.refusals


@pytest.mark.parametrize(("name", "value"), DEFAULTS.items(), ids=DEFAULTS)
def test_a_setting_that_is_set_nowhere_has_its_built_in_default(name, value):
    in_effect = {settings.camel(key): found for key, found in asdict(fallback.resolve([])).items()}

    assert in_effect[name] == value


def test_the_settings_are_those_of_the_contract():
    assert [settings.camel(name) for name in settings.NAMES] == list(DEFAULTS)


def test_a_level_beats_its_combination_and_so_on_down_to_the_default():
    assert list(SettingScope) == [
        SettingScope.LEVEL,
        SettingScope.COMBINATION,
        SettingScope.PRODUCT,
        SettingScope.CATEGORY,
        SettingScope.WEBSITE,
        SettingScope.ORGANIZATION,
        SettingScope.SYSTEM,
        SettingScope.DEFAULT,
    ]


def test_the_first_place_that_has_a_value_wins():
    in_effect = fallback.resolve(
        [
            place(low_inventory_threshold=Decimal(3)),
            place(SettingScope.SYSTEM, None, low_inventory_threshold=Decimal(9)),
        ]
    )

    assert in_effect.low_inventory_threshold == 3


def test_a_nearer_category_beats_its_parent():
    in_effect = fallback.resolve(
        [
            place(SettingScope.CATEGORY, "hand-tools", availability_range="2 days"),
            place(SettingScope.CATEGORY, "garden-tools", availability_range="2-4 weeks"),
        ]
    )

    assert in_effect.availability_range == "2 days"


def test_each_setting_is_looked_up_on_its_own():
    in_effect = fallback.resolve(
        [
            place(returnable=False),
            place(SettingScope.WEBSITE, "eu", returnable=True, notify_below=Decimal(5)),
            place(SettingScope.SYSTEM, None, notify_below=Decimal(7), upcoming=True),
        ]
    )

    assert in_effect == Settings(returnable=False, notify_below=Decimal(5), upcoming=True)


def test_a_value_taken_away_lets_the_next_one_show_through():
    in_effect = fallback.resolve([place(notify_below=None), place(SettingScope.SYSTEM, None, notify_below=Decimal(5))])

    assert in_effect.notify_below == 5


@pytest.mark.parametrize(
    ("values", "weaker"),
    [
        pytest.param({"manage_stock": False}, {"manage_stock": True}, id="off"),
        pytest.param({"out_of_stock_threshold": Decimal(0)}, {"out_of_stock_threshold": Decimal(5)}, id="zero"),
        pytest.param({"visible_statuses": ()}, {"visible_statuses": (InventoryStatus.IN_STOCK,)}, id="an-empty-list"),
        pytest.param({"availability_range": ""}, {"availability_range": "2-4 weeks"}, id="an-empty-text"),
    ],
)
def test_off_zero_and_empty_are_values_too(values, weaker):
    in_effect = fallback.resolve([place(**values), place(SettingScope.SYSTEM, None, **weaker)])

    assert in_effect == Settings(**values)


@given(SOME_PLACES)
def test_every_setting_resolves_to_the_first_place_that_has_it(found):
    places = [place(SettingScope.CATEGORY, str(number), **values) for number, values in enumerate(found)]

    in_effect = fallback.resolve(places)
    origins = {origin.setting: origin for origin in fallback.origins(places)}

    for name in settings.NAMES:
        first = next((p for p in places if p.values.get(name) is not None), None)
        if first is None:
            assert getattr(in_effect, name) == getattr(Settings(), name)
            assert origins[name] == Origin(name, SettingScope.DEFAULT, None, getattr(Settings(), name))
        else:
            assert getattr(in_effect, name) == first.values[name]
            assert origins[name] == Origin(name, SettingScope.CATEGORY, first.owner, first.values[name])


def test_every_setting_has_one_origin():
    origins = fallback.origins([place(upcoming=True), place(SettingScope.SYSTEM, None, upcoming=False)])

    assert [origin.setting for origin in origins] == list(settings.NAMES)


def test_an_origin_names_the_place_that_the_value_came_from():
    places = [
        place(SettingScope.LEVEL, "TEE@BERLIN", notify_below=Decimal(2)),
        place(SettingScope.PRODUCT, "TEE", notify_below=None, backorders=BackorderMode.ALLOW),
        place(SettingScope.SYSTEM, None, returnable=False),
    ]

    origins = {origin.setting: origin for origin in fallback.origins(places)}

    assert origins["notify_below"] == Origin("notify_below", SettingScope.LEVEL, "TEE@BERLIN", Decimal(2))
    assert origins["backorders"] == Origin("backorders", SettingScope.PRODUCT, "TEE", BackorderMode.ALLOW)
    assert origins["returnable"] == Origin("returnable", SettingScope.SYSTEM, None, False)
    assert origins["upcoming"] == Origin("upcoming", SettingScope.DEFAULT, None, False)
    assert origins["only_x_left_threshold"] == Origin("only_x_left_threshold", SettingScope.DEFAULT, None, None)


def test_one_setting_can_be_asked_for_its_origin():
    origin = fallback.origin("upcoming", [place(SettingScope.WEBSITE, "eu", upcoming=True)])

    assert origin == Origin("upcoming", SettingScope.WEBSITE, "eu", True)


def test_a_level_takes_part_for_three_settings():
    assert sorted(settings.AT_LEVEL) == ["backorders", "notify_below", "quantity_uses_decimals"]


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"backorders": BackorderMode.ALLOW}, id="backorders"),
        pytest.param({"notify_below": Decimal(5)}, id="notifyBelow"),
        pytest.param({"quantity_uses_decimals": True}, id="quantityUsesDecimals"),
        pytest.param({"backorders": None}, id="taking-one-away"),
    ],
)
def test_a_level_may_have_these_settings(changes):
    assert settings.check(changes, fallback.resolve([place(**changes)]), SettingScope.LEVEL) is None


@pytest.mark.parametrize(
    "name", [name for name in DEFAULTS if name not in ("backorders", "notifyBelow", "quantityUsesDecimals")]
)
def test_any_other_setting_at_a_level_is_invalid(name):
    python_name = next(key for key in settings.NAMES if settings.camel(key) == name)

    found = refusals({python_name: getattr(Settings(), python_name)}, Settings(), SettingScope.LEVEL)

    assert found == (
        Refusal(
            Code.INVALID_INPUT,
            f"{name} cannot be set at a level; only backorders, notifyBelow, quantityUsesDecimals can.",
            (name,),
        ),
    )


def test_a_level_says_everything_that_is_wrong_at_once():
    changes = {"returnable": False, "upcoming": True, "notify_below": Decimal(-1)}

    found = refusals(changes, scope=SettingScope.LEVEL)

    assert [refusal.path for refusal in found] == [("returnable",), ("upcoming",), ("notifyBelow",)]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        pytest.param(
            {"only_x_left_threshold": Decimal(-1)},
            "onlyXLeftThreshold must be 0 or more, not -1.",
            id="only-minus-1-left",
        ),
        pytest.param(
            {"low_inventory_threshold": Decimal("-0.5")},
            "lowInventoryThreshold must be 0 or more, not -0.5.",
            id="low-at-less-than-nothing",
        ),
        pytest.param(
            {"minimum_stock_quantity": Decimal(-2)},
            "minimumStockQuantity must be 0 or more, not -2.",
            id="minimum-stock",
        ),
        pytest.param(
            {"notify_below": Decimal(-3)}, "notifyBelow must be 0 or more, not -3.", id="notify-below-nothing"
        ),
        pytest.param(
            {"minimum_order_quantity": Decimal(0)},
            "minimumOrderQuantity must be more than 0, not 0.",
            id="an-order-of-nothing",
        ),
        pytest.param(
            {"maximum_order_quantity": Decimal(0)},
            "maximumOrderQuantity must be more than 0, not 0.",
            id="no-order-at-all",
        ),
        pytest.param(
            {"quantity_increment": Decimal(0)}, "quantityIncrement must be more than 0, not 0.", id="steps-of-nothing"
        ),
        pytest.param(
            {"quantity_increment": Decimal(-2)}, "quantityIncrement must be more than 0, not -2.", id="steps-backwards"
        ),
        pytest.param(
            {"allowed_quantities": (Decimal(6), Decimal(0))},
            "Each of allowedQuantities must be more than 0, not 0.",
            id="nothing-as-an-allowed-quantity",
        ),
        pytest.param(
            {"allowed_quantities": tuple(Decimal(n) for n in range(1, 252))},
            "allowedQuantities has 251 entries; the maximum is 250.",
            id="too-many-allowed-quantities",
        ),
        pytest.param(
            {"availability_range": "x" * 201},
            "availabilityRange has 201 characters; the maximum is 200.",
            id="a-long-range",
        ),
    ],
)
def test_a_value_that_makes_no_sense_is_invalid(changes, message):
    [name] = changes

    assert refusals(changes) == (Refusal(Code.INVALID_INPUT, message, (settings.camel(name),)),)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"out_of_stock_threshold": Decimal(-50)}, id="a-bound-for-backorders"),
        pytest.param({"out_of_stock_threshold": Decimal(50)}, id="safety-stock"),
        pytest.param({"notify_below": Decimal(0)}, id="an-alert-that-never-comes"),
        pytest.param({"allowed_quantities": ()}, id="an-empty-list"),
        pytest.param({"allowed_quantities": tuple(Decimal(n) for n in range(1, 251))}, id="250-allowed-quantities"),
        pytest.param({"availability_range": "x" * 200}, id="a-range-of-200-characters"),
        pytest.param(
            {
                "allowed_quantities": (Decimal(2), Decimal(5)),
                "minimum_order_quantity": Decimal(2),
                "maximum_order_quantity": Decimal(5),
            },
            id="allowed-from-the-minimum-to-the-maximum",
        ),
        pytest.param({"minimum_order_quantity": None}, id="taking-a-value-away"),
        pytest.param(
            {"minimum_order_quantity": Decimal(5), "maximum_order_quantity": Decimal(5)}, id="exactly-five-or-none"
        ),
        pytest.param(
            {"quantity_increment": Decimal("0.5"), "quantity_uses_decimals": True}, id="half-steps-where-parts-are-sold"
        ),
        pytest.param(
            {"allowed_quantities": (Decimal(6), Decimal(12)), "quantity_increment": Decimal(6)}, id="sixes-and-dozens"
        ),
    ],
)
def test_a_value_that_makes_sense_is_taken(changes):
    assert settings.check(changes, fallback.resolve([place(**changes)]), SettingScope.PRODUCT) is None


@pytest.mark.parametrize(
    ("changes", "message", "path"),
    [
        pytest.param(
            {"minimum_order_quantity": Decimal(10), "maximum_order_quantity": Decimal(5)},
            "minimumOrderQuantity 10 is above maximumOrderQuantity 5.",
            ("minimumOrderQuantity",),
            id="a-minimum-over-the-maximum",
        ),
        pytest.param(
            {"allowed_quantities": (Decimal(6), Decimal(8)), "quantity_increment": Decimal(6)},
            "allowedQuantities 8 is not a multiple of quantityIncrement 6.",
            ("allowedQuantities",),
            id="an-allowed-quantity-between-the-steps",
        ),
        pytest.param(
            {"allowed_quantities": (Decimal(1), Decimal(6)), "minimum_order_quantity": Decimal(2)},
            "allowedQuantities 1 is below minimumOrderQuantity 2.",
            ("allowedQuantities",),
            id="an-allowed-quantity-under-the-minimum",
        ),
        pytest.param(
            {"allowed_quantities": (Decimal(1), Decimal(6)), "maximum_order_quantity": Decimal(5)},
            "allowedQuantities 6 is above maximumOrderQuantity 5.",
            ("allowedQuantities",),
            id="an-allowed-quantity-over-the-maximum",
        ),
        pytest.param(
            {"minimum_order_quantity": Decimal("0.5")},
            "minimumOrderQuantity 0.5 has decimals, but quantityUsesDecimals is off.",
            ("minimumOrderQuantity",),
            id="half-a-unit-where-only-whole-ones-are-sold",
        ),
        pytest.param(
            {"allowed_quantities": (Decimal(1), Decimal("1.5"))},
            "allowedQuantities 1.5 has decimals, but quantityUsesDecimals is off.",
            ("allowedQuantities",),
            id="an-allowed-quantity-with-decimals-where-only-whole-ones-are-sold",
        ),
    ],
)
def test_values_that_contradict_each_other_are_invalid(changes, message, path):
    assert refusals(changes) == (Refusal(Code.INVALID_INPUT, message, path),)


def test_a_value_is_held_against_what_is_in_effect_from_elsewhere():
    in_effect = Settings(minimum_order_quantity=Decimal(10), maximum_order_quantity=Decimal(5))

    found = refusals({"maximum_order_quantity": Decimal(5)}, in_effect)

    assert found == (
        Refusal(
            Code.INVALID_INPUT,
            "minimumOrderQuantity 10 is above maximumOrderQuantity 5.",
            ("maximumOrderQuantity",),
        ),
    )


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"returnable": False}, id="another-setting"),
        pytest.param({"quantity_increment": Decimal(1)}, id="another-quantity-rule"),
        pytest.param({"returnable": None}, id="taking-another-away"),
    ],
)
def test_what_does_not_go_together_elsewhere_is_no_reason_against_a_change(changes):
    in_effect = Settings(minimum_order_quantity=Decimal(10), maximum_order_quantity=Decimal(5))

    assert settings.check(changes, in_effect, SettingScope.PRODUCT) is None


def test_taking_a_value_away_is_held_against_what_shows_through():
    in_effect = Settings(minimum_order_quantity=Decimal(10), maximum_order_quantity=Decimal(5))

    found = refusals({"maximum_order_quantity": None}, in_effect)

    assert [refusal.path for refusal in found] == [("maximumOrderQuantity",)]


def test_half_a_unit_may_be_the_minimum_where_a_level_counts_in_parts():
    changes = {"minimum_order_quantity": Decimal("0.5")}

    assert (
        settings.check(changes, fallback.resolve([place(**changes)]), SettingScope.PRODUCT, counted_in_parts=True)
        is None
    )


def test_a_refusal_says_where_in_the_input_the_value_stands():
    with pytest.raises(Refused) as refused:
        settings.check(
            {"notify_below": Decimal(-1)}, fallback.resolve([]), SettingScope.SYSTEM, "settings", counted_in_parts=False
        )

    assert [refusal.path for refusal in refused.value.refusals] == [("settings", "notifyBelow")]


def test_the_quantity_rules_are_those_of_the_settings():
    in_effect = Settings(
        minimum_order_quantity=Decimal(2),
        maximum_order_quantity=Decimal(10),
        quantity_increment=Decimal(2),
        allowed_quantities=(Decimal(2), Decimal(4)),
        quantity_uses_decimals=True,
    )

    assert in_effect.quantity_rules == QuantityRules(
        minimum=Decimal(2), maximum=Decimal(10), increment=Decimal(2), allowed=(Decimal(2), Decimal(4)), decimals=True
    )


def test_an_empty_list_of_allowed_quantities_is_as_unset():
    assert Settings(allowed_quantities=()).quantity_rules == QuantityRules()


@pytest.mark.parametrize(
    ("name", "value", "stored"),
    [
        pytest.param("manage_stock", False, False, id="a-switch"),
        pytest.param("backorders", BackorderMode.ALLOW, "ALLOW", id="a-mode"),
        pytest.param("out_of_stock_threshold", Decimal("-2.5"), "-2.5", id="a-quantity"),
        pytest.param("notify_below", Decimal("99999999999.9999"), "99999999999.9999", id="the-largest-quantity"),
        pytest.param("allowed_quantities", (Decimal(6), Decimal("0.5")), ["6", "0.5"], id="quantities"),
        pytest.param("allowed_quantities", (), [], id="no-quantities"),
        pytest.param("availability_range", "2-4 weeks", "2-4 weeks", id="a-text"),
        pytest.param(
            "availability_date", datetime(2026, 5, 1, 8, tzinfo=UTC), "2026-05-01T08:00:00+00:00", id="a-moment"
        ),
        pytest.param(
            "visible_statuses",
            (InventoryStatus.IN_STOCK, InventoryStatus.DISCONTINUED),
            ["IN_STOCK", "DISCONTINUED"],
            id="statuses",
        ),
        pytest.param("notify_below", None, None, id="nothing"),
    ],
)
def test_a_value_is_stored_as_json_and_read_back_the_same(name, value, stored):
    written = json.loads(json.dumps(settings.to_stored(name, value)))

    read = settings.from_stored(name, written)

    assert written == stored
    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        pytest.param("upcoming", "upcoming", id="one-word"),
        pytest.param("notify_below", "notifyBelow", id="two-words"),
        pytest.param("only_x_left_threshold", "onlyXLeftThreshold", id="a-word-of-one-letter"),
    ],
)
def test_a_setting_is_told_by_the_name_that_callers_know(name, told):
    assert settings.camel(name) == told
