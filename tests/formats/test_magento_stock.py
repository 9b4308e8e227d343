"""What Magento's rows say of stock. A value counts only where the column beside it does not name the configuration."""

from decimal import Decimal
from typing import Any

import pytest

from gqlstock.formats import magento_stock
from gqlstock.formats.format import Context, Options
from gqlstock.formats.records import UNSET, AnyOf
from gqlstock.rules.catalog import InventoryStatus
from gqlstock.rules.import_report import RemarkKind
from gqlstock.rules.import_rows import Row
from gqlstock.rules.refusals import Refused
from gqlstock.rules.settings import BackorderMode
from support.importing import remarks

NO_MINIMUM = AnyOf(UNSET, (Decimal(1),))
OFF = AnyOf(UNSET, (False,))


def settings(context: Context | None = None, **cells: str) -> dict[str, Any]:
    return dict(magento_stock.settings(Row(2, cells), "MUG", context or Context()))


def test_what_the_configuration_gives_is_reset_whatever_the_value() -> None:
    cells = dict.fromkeys(magento_stock.QUANTITIES, "0") | {"manage_stock": "0", "allow_backorders": "2"}
    cells |= {"enable_qty_increments": "1", **dict.fromkeys(magento_stock.CONFIG.values(), "1")}
    context = Context()

    assert settings(context, **cells) == {
        "manage_stock": UNSET,
        "out_of_stock_threshold": UNSET,
        "backorders": UNSET,
        "minimum_order_quantity": UNSET,
        "maximum_order_quantity": UNSET,
        "notify_below": UNSET,
        "quantity_increment": UNSET,
    }
    assert remarks(context.report, RemarkKind.TO_CHECK) == dict.fromkeys(magento_stock.LEANING.values(), "1 (MUG)")


def test_columns_that_are_not_there_say_nothing() -> None:
    context = Context()

    assert settings(context, qty="3") == {}
    assert remarks(context.report, RemarkKind.TO_CHECK) == {}


@pytest.mark.parametrize(
    ("column", "value", "setting", "expected"),
    [
        ("manage_stock", "0", "manage_stock", False),
        ("manage_stock", "1", "manage_stock", True),
        ("out_of_stock_qty", "-5.0000", "out_of_stock_threshold", Decimal(-5)),
        ("out_of_stock_qty", "0", "out_of_stock_threshold", Decimal(0)),
        ("allow_backorders", "0", "backorders", BackorderMode.NO_BACKORDERS),
        ("allow_backorders", "1", "backorders", BackorderMode.ALLOW),
        ("allow_backorders", "2.0000", "backorders", BackorderMode.ALLOW_AND_NOTIFY_CUSTOMER),
        ("min_cart_qty", "3.0000", "minimum_order_quantity", Decimal(3)),
        ("min_cart_qty", "1.0000", "minimum_order_quantity", NO_MINIMUM),
        ("max_cart_qty", "0.0000", "maximum_order_quantity", UNSET),
        ("max_cart_qty", "20", "maximum_order_quantity", Decimal(20)),
        ("notify_on_stock_below", "4", "notify_below", Decimal(4)),
    ],
)
@pytest.mark.parametrize("config", ["0", None])
def test_a_value_counts_where_the_configuration_is_not_used(
    column: str, value: str, setting: str, expected: Any, config: str | None
) -> None:
    beside = {} if config is None else {magento_stock.CONFIG[column]: config}

    assert settings(**{column: value}, **beside) == {setting: expected}


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (("1", "0", "6", "0"), Decimal(6)),
        (("1", "0", "0", "0"), UNSET),
        (("0", "0", "6", "0"), UNSET),
        (("0", "1", "6", "0"), UNSET),
        (("1", "0", "6", "1"), UNSET),
    ],
)
def test_increments_count_where_they_are_enabled_and_given(cells: tuple[str, str, str, str], expected: Any) -> None:
    columns = ("enable_qty_increments", "use_config_enable_qty_inc", "qty_increments", "use_config_qty_increments")

    assert settings(**dict(zip(columns, cells, strict=True))) == {"quantity_increment": expected}


def test_decimals_and_boxes_have_no_configuration() -> None:
    assert settings(is_qty_decimal="1", is_decimal_divided="1") == {
        "quantity_uses_decimals": True,
        "allow_multiple_boxes": True,
    }
    assert settings(is_qty_decimal="0", is_decimal_divided="0") == {
        "quantity_uses_decimals": OFF,
        "allow_multiple_boxes": OFF,
    }


@pytest.mark.parametrize(("manage_stock", "expected"), [(True, AnyOf(UNSET, (True,))), (False, False)])
def test_the_command_can_say_what_the_configuration_has_for_manage_stock(manage_stock: bool, expected: Any) -> None:
    context = Context(Options(manage_stock=manage_stock))

    assert settings(context, manage_stock="1", use_config_manage_stock="1") == {"manage_stock": expected}
    assert remarks(context.report, RemarkKind.TO_CHECK) == {}
    assert settings(context, manage_stock="1", use_config_manage_stock="0") == {"manage_stock": True}


def test_an_alert_below_a_negative_quantity_is_reported() -> None:
    context = Context()

    assert settings(context, notify_on_stock_below="-2") == {"notify_below": UNSET}
    assert remarks(context.report, RemarkKind.NOT_CARRIED) == {magento_stock.NEGATIVE_NOTIFY: "1 (MUG)"}


@pytest.mark.parametrize(
    ("own", "config", "expected"),
    [("1", "0", {magento_stock.DEFERRED_UPDATE: "1 (MUG)"}), ("1", "1", {}), ("0", "0", {})],
)
def test_deferred_stock_updates_are_reported(own: str, config: str, expected: dict[str, str]) -> None:
    context = Context()

    assert settings(context, deferred_stock_update=own, use_config_deferred_stock_update=config) == {}
    assert remarks(context.report, RemarkKind.NOT_CARRIED) == expected


@pytest.mark.parametrize(
    ("cells", "told"),
    [
        ({"allow_backorders": "3"}, "allow_backorders is '3'; expected 0, 1 or 2."),
        ({"manage_stock": "perhaps"}, "manage_stock is 'perhaps'; expected 1 or 0."),
        ({"out_of_stock_qty": "few"}, "out_of_stock_qty 'few' is not a quantity."),
    ],
)
def test_a_value_that_cannot_be_is_refused(cells: dict[str, str], told: str) -> None:
    with pytest.raises(Refused) as caught:
        settings(**cells)

    assert str(caught.value) == told


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ({"is_in_stock": "1", "qty": "0"}, InventoryStatus.IN_STOCK),
        ({"is_in_stock": "0", "qty": "5"}, InventoryStatus.OUT_OF_STOCK),
        ({"is_in_stock": "0", "qty": "0"}, None),
        ({"is_in_stock": "0", "qty": "5", "out_of_stock_qty": "5", "use_config_min_qty": "0"}, None),
        (
            {"is_in_stock": "0", "qty": "5", "out_of_stock_qty": "5", "use_config_min_qty": "1"},
            InventoryStatus.OUT_OF_STOCK,
        ),
        (
            {"is_in_stock": "0", "qty": "0", "allow_backorders": "1", "use_config_backorders": "0"},
            InventoryStatus.OUT_OF_STOCK,
        ),
        ({"is_in_stock": "0", "qty": "0", "allow_backorders": "1", "use_config_backorders": "1"}, None),
        ({"is_in_stock": "0", "qty": "5", "manage_stock": "0", "use_config_manage_stock": "0"}, None),
        (
            {"is_in_stock": "0", "qty": "5", "manage_stock": "0", "use_config_manage_stock": "1"},
            InventoryStatus.OUT_OF_STOCK,
        ),
        ({"qty": "5"}, None),
    ],
)
def test_out_of_stock_counts_where_somebody_must_have_said_so(
    cells: dict[str, str], expected: InventoryStatus | None
) -> None:
    assert magento_stock.status(Row(2, cells)) is expected
