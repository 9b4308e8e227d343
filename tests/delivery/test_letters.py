import asyncio
import logging
import re
from collections.abc import Iterator
from datetime import timedelta

import pytest

from gqlstock.adapters.mail import LogMail
from gqlstock.adapters.smtp import SmtpMail
from gqlstock.delivery.courier import Courier
from gqlstock.delivery.dispatcher import Dispatcher
from gqlstock.delivery.letters import Letters
from gqlstock.rules.back_in_stock import BackInStockState
from gqlstock.rules.catalog import InventoryStatus, InventoryTracking
from gqlstock.rules.feed import START
from gqlstock.rules.providers import SmtpServer
from gqlstock.rules.refusals import Code, Refused
from gqlstock.rules.retries import WorkState
from gqlstock.rules.settings import BackorderMode
from gqlstock.services import back_in_stock, catalog, deliveries
from gqlstock.store import dispatch, outbox
from gqlstock.store.back_in_stock import BackInStockSubscription
from gqlstock.store.db import clock, transactions
from gqlstock.store.dispatch import Dispatch
from gqlstock.store.mail import Mail
from support import settable_clock, smtp_server, webhook_receiver
from support import shop_builders as make
from support.settled_news import settled
from support.smtp_server import Postbox

WAITING, NOTIFIED, CANCELED = BackInStockState.WAITING, BackInStockState.NOTIFIED, BackInStockState.CANCELED
ANNA, BEN = "anna@shoppers.example", "ben@shoppers.example"
LINK = "https://shop.example/unsubscribe?token={token}"


@pytest.fixture
async def shop(db: None) -> None:
    """MUG in BERLIN, none of it, sold by the website shop."""
    await make.shop()
    await make.product("MUG", name="Mug")
    await make.stock("MUG", on_hand=0)


@pytest.fixture
def box() -> Iterator[Postbox]:
    with smtp_server.open_postbox() as made:
        yield made


def courier(box: Postbox, link: str = LINK) -> Courier:
    return Courier(Letters(SmtpMail(SmtpServer("127.0.0.1", box.port)), "shop@gqlstock.example", link))


async def dispatched(*admins: str) -> None:
    await settled()
    dispatcher = Dispatcher(admins)
    while await dispatcher.step():
        pass


async def delivered(courier: Courier) -> None:
    while True:
        await courier.step()
        if not courier.in_progress:
            return
        await courier.idle()


async def waits(email: str = ANNA, sku: str = "MUG") -> int:
    return await back_in_stock.subscribe(sku, None, email)


async def state(subscription_id: int) -> BackInStockState:
    return (await BackInStockSubscription.get(id=subscription_id)).state


def to(box: Postbox) -> list[str]:
    return sorted(str(letter["To"]) for letter in box.letters)


async def test_administrators_are_written_to_when_an_alert_is_raised(shop: None, box: Postbox) -> None:
    await make.stock("MUG", on_hand=5)
    await make.setting(product="MUG", notify_below=3)
    await make.order("MUG", 3)
    await make.stock("MUG", on_hand=9)
    await dispatched("admin@shop.example", "boss@shop.example")
    await delivered(courier(box))

    assert to(box) == ["admin@shop.example", "boss@shop.example"]
    letter = box.letters[0]
    assert (letter["Subject"], letter["From"]) == ("Low inventory: Mug (MUG)", "shop@gqlstock.example")
    assert smtp_server.text(letter) == (
        "Mug is running low.\n\nName: Mug\nCode: MUG\nSKU: MUG\nQuantity left: 2\nAlert below: 3\n"
    )
    assert "<tr><td>Quantity left</td><td>2</td></tr>" in smtp_server.text(letter, "html")


async def test_nobody_is_written_to_about_an_item_that_was_deleted(shop: None, box: Postbox) -> None:
    await make.setting(product="MUG", notify_below=3)
    await make.stock("MUG", on_hand=5)
    await make.stock("MUG", on_hand=0)
    await dispatched("admin@shop.example")
    assert await Mail.all().count() == 1

    await catalog.delete_product("MUG")
    await delivered(courier(box))

    assert box.letters == []


async def test_nobody_is_written_to_when_only_less_than_can_be_ordered_is_back(shop: None, box: Postbox) -> None:
    await make.setting(product="MUG", minimum_order_quantity=2)
    anna = await waits(ANNA)

    await make.stock("MUG", on_hand=1)
    await dispatched()
    await delivered(courier(box))
    assert (to(box), await state(anna)) == ([], WAITING)

    await make.stock("MUG", on_hand=2)
    await dispatched()
    await delivered(courier(box))
    assert (to(box), await state(anna)) == ([ANNA], NOTIFIED)


async def test_who_waits_gets_one_letter_when_the_item_is_back_through_stock(shop: None, box: Postbox) -> None:
    anna, ben = await waits(ANNA), await waits(BEN)
    await dispatched()
    assert await Mail.all().count() == 0

    await make.stock("MUG", on_hand=1)
    await make.stock("MUG", on_hand=2)
    await dispatched()
    await delivered(courier(box))
    await make.stock("MUG", on_hand=0)
    await make.stock("MUG", on_hand=3)
    await dispatched()
    await delivered(courier(box))

    assert to(box) == [ANNA, BEN]
    assert [await state(anna), await state(ben)] == [NOTIFIED, NOTIFIED]
    assert (await BackInStockSubscription.get(id=anna)).notified_at is not None
    letter = next(letter for letter in box.letters if letter["To"] == ANNA)
    assert letter["Subject"] == "Back in stock: Mug"
    assert smtp_server.text(letter).startswith("Mug is back in stock at Shop.\n\nYou asked to be notified.")


async def test_the_letter_has_a_link_to_unsubscribe_and_only_a_digest_of_its_token_is_kept(
    shop: None, box: Postbox
) -> None:
    anna = await waits(ANNA)
    await make.stock("MUG", on_hand=1)
    await dispatched()
    await delivered(courier(box))

    (letter,) = box.letters
    found = re.search(r"Unsubscribe: https://shop\.example/unsubscribe\?token=(\S+)", smtp_server.text(letter))
    assert found is not None
    token = found.group(1)
    assert letter["List-Unsubscribe"] == f"<https://shop.example/unsubscribe?token={token}>"
    assert token not in str(vars(await BackInStockSubscription.get(id=anna)))
    assert await back_in_stock.unsubscribe(token) == anna
    assert await state(anna) is CANCELED


async def test_unsubscribing_ends_what_was_asked_for_since(shop: None, box: Postbox) -> None:
    await waits(ANNA)
    await make.stock("MUG", on_hand=1)
    await dispatched()
    await delivered(courier(box))
    await make.stock("MUG", on_hand=0)
    again, other = await waits(ANNA), await waits(BEN)
    found = re.search(r"token=(\S+)", smtp_server.text(box.letters[0]))
    assert found is not None

    await back_in_stock.unsubscribe(found.group(1))

    assert [await state(again), await state(other)] == [CANCELED, WAITING]


async def test_a_token_of_nobody_is_not_found(shop: None) -> None:
    await waits(ANNA)

    with pytest.raises(Refused) as error:
        await back_in_stock.unsubscribe("guessed")

    assert [(one.code, one.path) for one in error.value.refusals] == [(Code.NOT_FOUND, ("token",))]


async def test_nobody_is_written_to_when_it_is_gone_again_before_the_letter_is_sent(shop: None, box: Postbox) -> None:
    anna = await waits(ANNA)
    await make.stock("MUG", on_hand=1)
    await dispatched()
    await make.order("MUG", 1)
    await delivered(courier(box))

    assert box.letters == []
    assert await state(anna) is WAITING
    await make.stock("MUG", on_hand=4)
    await dispatched()
    await delivered(courier(box))
    assert to(box) == [ANNA]


async def test_who_canceled_in_between_is_not_written_to(shop: None, box: Postbox) -> None:
    anna = await waits(ANNA)
    await make.stock("MUG", on_hand=1)
    await dispatched()
    await BackInStockSubscription.filter(id=anna).update(state=CANCELED)
    await delivered(courier(box))

    assert box.letters == []
    assert await Mail.all().count() == 0


async def back_by_backorders() -> None:
    await make.setting(product="MUG", backorders=BackorderMode.ALLOW)


async def back_by_status() -> None:
    await make.stock("MUG", on_hand=3)
    await catalog.update_product("MUG", {"inventory_status": InventoryStatus.IN_STOCK})


@pytest.mark.parametrize("by", [back_by_backorders, back_by_status])
async def test_a_setting_or_a_status_that_brings_it_back_is_found_by_looking_again(shop, box, by):
    await catalog.update_product("MUG", {"inventory_status": InventoryStatus.OUT_OF_STOCK})
    if by is back_by_backorders:
        await catalog.update_product("MUG", {"inventory_status": InventoryStatus.IN_STOCK})
    await waits(ANNA)
    await dispatch.begin()
    dispatcher = Dispatcher()
    await dispatcher.check()
    assert await Mail.all().count() == 0

    await by()
    await asyncio.gather(dispatcher.check(), Dispatcher().check())
    assert await Mail.all().count() == 1
    await delivered(courier(box))

    assert to(box) == [ANNA]


async def test_one_website_being_stocked_is_no_news_for_those_who_wait_on_another(shop: None, box: Postbox) -> None:
    await make.warehouse("PARIS")
    await make.website("autre", warehouses=["PARIS"])
    await make.stock("MUG", "PARIS", 0)
    here = await waits(ANNA)
    there = await back_in_stock.subscribe("MUG", "autre", BEN)

    await make.stock("MUG", "PARIS", 1)
    await dispatched()
    await delivered(courier(box))

    assert to(box) == [BEN]
    assert [await state(here), await state(there)] == [WAITING, NOTIFIED]


async def test_who_waits_for_a_product_sold_by_options_is_told_of_any_combination(shop: None, box: Postbox) -> None:
    await make.product("SHIRT", options={"Size": ["S", "M"]})
    await make.stock("SHIRT-S", on_hand=0)
    await make.stock("SHIRT-M", on_hand=0)
    product, small = await waits(ANNA, "SHIRT"), await waits(BEN, "SHIRT-S")

    await make.stock("SHIRT-M", on_hand=1)
    await dispatched()
    await delivered(courier(box))

    assert [await state(product), await state(small)] == [NOTIFIED, WAITING]


async def test_who_waits_for_a_combination_is_told_when_the_product_has_its_units(shop: None, box: Postbox) -> None:
    await make.product("TEE", options={"Size": ["S"]}, tracking=InventoryTracking.TRACK_WITHOUT_OPTIONS)
    await make.stock("TEE", on_hand=0)
    anna = await waits(ANNA, "TEE-S")

    await make.stock("TEE", on_hand=1)
    await dispatched()
    await delivered(courier(box))

    assert await state(anna) is NOTIFIED


async def test_one_process_at_a_time_looks_again(shop: None) -> None:
    one, two = Dispatcher(), Dispatcher()
    await one.step()

    assert [await d.has_check() for d in (one, two, one)] == [True, False, False]
    await Dispatch.filter(id=1).update(checked_at=clock.now() - timedelta(seconds=25))
    assert await asyncio.gather(one.has_check(), two.has_check()) in ([True, False], [False, True])


async def test_news_that_nobody_wants_is_passed_over_without_a_write_for_each(shop: None) -> None:
    dispatcher = Dispatcher(["admin@shop.example"])
    await make.setting(product="MUG", notify_below=2)
    await make.stock("MUG", on_hand=9)
    await settled()
    while await dispatcher.step():
        pass
    noted = await dispatch.place()
    await make.order("MUG", 1)
    await settled()
    while await dispatcher.step():
        pass
    assert await dispatch.place() == noted < await outbox.latest()

    await make.order("MUG", 7)
    await settled()
    while await dispatcher.step():
        pass

    assert await dispatch.place() == await outbox.latest()
    assert await Mail.all().count() == 1


async def test_a_sweep_of_the_outbox_stays_behind_the_cursor(shop: None) -> None:
    assert await dispatch.place() in (None, START)
    await make.setting(product="MUG", notify_below=2)
    await make.stock("MUG", on_hand=3)
    await make.stock("MUG", on_hand=1)
    await dispatched("admin@shop.example")

    assert await Mail.all().count() == 1
    assert await dispatch.place() == await outbox.latest()


async def test_what_was_delivered_is_forgotten_after_a_week_and_what_failed_after_a_month(shop: None) -> None:
    done, failed = WorkState.DELIVERED, WorkState.FAILED
    ages = [(done, 6), (done, 8), (failed, 29), (failed, 31), (WorkState.PENDING, 99), (WorkState.PENDING, 6)]
    for number, (state, days) in enumerate(ages):
        made = clock.now() - timedelta(days=days)
        await Mail.create(line="x", message_id=f"{number}", recipient=ANNA, state=state, created_at=made)

    await deliveries.forget()

    kept = await Mail.all().order_by("id").values_list("message_id", "state")
    assert kept == [("0", WorkState.DELIVERED), ("2", WorkState.FAILED), ("5", WorkState.PENDING)]


async def test_who_waits_for_a_deleted_item_waits_no_more(shop: None) -> None:
    anna = await waits(ANNA)
    await catalog.delete_product("MUG")

    await Dispatcher().check()

    assert await state(anna) is CANCELED


async def test_a_mail_server_that_is_away_is_tried_again_with_growing_pauses(shop: None, box: Postbox) -> None:
    anna = await waits(ANNA)
    box.refusals[ANNA] = ["451 try later", "421 try later"]
    await make.stock("MUG", on_hand=1)
    await dispatched()
    pauses = []
    for _ in range(2):
        await delivered(courier(box))
        (mail,) = await Mail.all()
        assert mail.due_at is not None
        pauses.append((mail.due_at - clock.now()).total_seconds())
        await Mail.filter(id=mail.id).update(due_at=clock.now() - timedelta(seconds=1))
    assert [pytest.approx(1, abs=0.6), pytest.approx(5, abs=1)] == pauses
    assert mail.last_error is not None
    assert "try later" in mail.last_error
    await delivered(courier(box))

    (letter,) = box.letters
    (mail,) = await Mail.all()
    assert (mail.state, mail.attempts) == (WorkState.DELIVERED, 3)
    assert letter["Message-ID"] == f"<{mail.message_id}@gqlstock.example>"
    assert await state(anna) is NOTIFIED


async def test_an_address_that_does_not_exist_is_not_written_to_for_ever(shop: None, box: Postbox) -> None:
    anna, ben = await waits(ANNA), await waits(BEN)
    box.refusals[ANNA] = ["550 no such user"] * 9
    await make.stock("MUG", on_hand=1)
    await dispatched()
    await delivered(courier(box))
    await Dispatcher().check()
    await delivered(courier(box))

    assert to(box) == [BEN]
    assert len(box.refusals[ANNA]) == 8
    assert [await state(anna), await state(ben)] == [CANCELED, NOTIFIED]
    failed = await Mail.get(recipient=ANNA)
    assert (failed.state, failed.attempts, failed.last_error) == (WorkState.FAILED, 1, "550 no such user")


@pytest.mark.parametrize("address", ["jörg@shoppers.example", "a..b@shoppers.example", "anna@", "a@["])
async def test_an_address_that_no_letter_can_name_is_given_up_and_stops_no_other(
    shop: None, box: Postbox, address: str
) -> None:
    lost, anna = await waits(BEN), await waits(ANNA)
    await transactions.run(lambda: BackInStockSubscription.filter(id=lost).update(email=address))
    await make.stock("MUG", on_hand=1)
    await dispatched()

    await delivered(courier(box))

    assert (await state(lost), await state(anna)) == (CANCELED, NOTIFIED)
    failed = await Mail.get(recipient=address)
    assert (failed.state, failed.attempts) == (WorkState.FAILED, 1)
    assert to(box) == [ANNA]


async def test_a_server_that_cannot_be_reached_keeps_the_letter(shop: None) -> None:
    anna = await waits(ANNA)
    await make.stock("MUG", on_hand=1)
    await dispatched()
    away = Courier(Letters(SmtpMail(SmtpServer("127.0.0.1", 1)), "shop@gqlstock.example", LINK))
    await delivered(away)

    (mail,) = await Mail.all()
    assert (mail.state, mail.attempts) == (WorkState.PENDING, 1)
    assert await state(anna) is WAITING


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS:UserWarning")
async def test_a_server_that_wants_an_account_is_given_it(shop: None) -> None:
    anna = await waits(ANNA)
    await make.stock("MUG", on_hand=1)
    await dispatched()
    with smtp_server.open_postbox(("shop@x", "p:w")) as box:
        wrong = SmtpServer("127.0.0.1", box.port, "shop@x", "guessed")
        await delivered(Courier(Letters(SmtpMail(wrong), "shop@gqlstock.example", LINK)))
        assert (box.letters, await state(anna)) == ([], WAITING)

        await Mail.filter(subscription_id=anna).update(due_at=clock.now())
        right = SmtpServer("127.0.0.1", box.port, "shop@x", "p:w")
        await delivered(Courier(Letters(SmtpMail(right), "shop@gqlstock.example", LINK)))

    assert (to(box), await state(anna)) == ([ANNA], NOTIFIED)


async def test_a_server_that_never_answers_is_not_waited_for_for_ever(shop: None) -> None:
    await waits(ANNA)
    await make.stock("MUG", on_hand=1)
    await dispatched()
    # It waits for a request of the web, and the client for a greeting.
    async with webhook_receiver.receiving() as silent:
        server = SmtpServer("127.0.0.1", silent.port)
        await delivered(Courier(Letters(SmtpMail(server, seconds=0.3), "shop@gqlstock.example", LINK)))

    (mail,) = await Mail.all()
    assert (mail.state, mail.attempts) == (WorkState.PENDING, 1)
    assert mail.last_error == "The mail server did not accept it within 0.3 seconds."


async def test_a_name_can_neither_write_headers_nor_html(shop: None, box: Postbox) -> None:
    await catalog.update_product("MUG", {"name": "Mug\r\nBcc: spy@evil.example\r\n\r\n<b>Ü</b>"})
    await waits(ANNA)
    await make.stock("MUG", on_hand=1)
    await dispatched()
    await delivered(courier(box))

    (letter,) = box.letters
    assert letter["Subject"] == "Back in stock: Mug Bcc: spy@evil.example <b>Ü</b>"
    assert "Bcc" not in letter
    assert "&lt;b&gt;Ü&lt;/b&gt;" in smtp_server.text(letter, "html")
    assert "<b>" not in smtp_server.text(letter, "html")


async def test_without_a_mail_server_letters_go_to_the_log(shop: None, caplog: pytest.LogCaptureFixture) -> None:
    anna = await waits(ANNA)
    await make.stock("MUG", on_hand=1)
    await dispatched()
    with caplog.at_level(logging.WARNING, "gqlstock.adapters.mail"):
        await delivered(Courier(Letters(LogMail(), "gqlstock@localhost", LINK)))

    (record,) = caplog.records
    assert record.getMessage().startswith(
        f"GQLSTOCK_SMTP_URL is not set; not sent to {ANNA}: Back in stock: Mug\nMug is back in stock at Shop.\n"
    )
    assert await state(anna) is NOTIFIED


async def test_nothing_is_written_while_nobody_wants_any_news(shop: None) -> None:
    from_before = Dispatcher()
    while await from_before.step():
        pass
    await make.stock("MUG", on_hand=1)
    await make.order("MUG", 1)
    await settled()

    assert not await from_before.step()
    assert not await Dispatcher().step()
    assert await Mail.all().count() == 0


async def test_who_waits_is_written_to_when_the_clock_was_set_back_after_the_last_check(
    shop: None, box: Postbox
) -> None:
    """Nothing but the check finds it: a setting has brought it back."""
    await waits()
    dispatcher = Dispatcher()
    await dispatched()
    with settable_clock.ahead():
        assert await dispatcher.has_check()
    await make.setting(product="MUG", backorders=BackorderMode.ALLOW)

    assert await dispatcher.has_check()
    assert not await dispatcher.has_check()
    await dispatcher.check()
    await delivered(courier(box))

    assert to(box) == [ANNA]
