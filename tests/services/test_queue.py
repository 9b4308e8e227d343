import asyncio
from collections.abc import Sequence

import pytest

from gqlstock.services.queue import Queue


class Work:
    """Doubles numbers; keeps the groups that it was given, and goes on with one when it is let."""

    def __init__(self) -> None:
        self.groups: list[list[int]] = []
        self.begun = asyncio.Semaphore(0)
        self.may_go_on = asyncio.Event()

    async def __call__(self, numbers: Sequence[int]) -> list[int | Exception]:
        self.groups.append(list(numbers))
        self.begun.release()
        await self.may_go_on.wait()
        if 13 in numbers:
            raise LookupError
        return [ValueError(number) if number < 0 else 2 * number for number in numbers]


async def begun(queue: Queue[int, int], *numbers: int) -> list[asyncio.Task[int]]:
    """Calls that were made one after the other; the first of them is being done."""
    tasks = []
    for number in numbers:
        tasks.append(asyncio.create_task(queue.do(number)))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    return tasks


async def test_a_call_that_finds_nobody_at_work_begins_alone_and_those_that_come_meanwhile_are_the_next_group():
    work = Work()
    calls = await begun(Queue(work), 1, 2, 3, 4)

    work.may_go_on.set()

    assert await asyncio.gather(*calls) == [2, 4, 6, 8]
    assert work.groups == [[1], [2, 3, 4]]


async def test_a_call_right_behind_the_last_one_is_done():
    work = Work()
    work.may_go_on.set()
    queue = Queue(work)

    assert [await queue.do(number) for number in range(10)] == [2 * number for number in range(10)]


async def test_what_one_is_told_is_told_to_no_other():
    work = Work()
    calls = await begun(Queue(work), 1, 2, -3, 4)

    work.may_go_on.set()
    told = await asyncio.gather(*calls, return_exceptions=True)

    assert told[:2] == [2, 4]
    assert isinstance(told[2], ValueError)
    assert told[3] == 8


async def test_a_group_that_fails_as_a_whole_is_told_to_all_of_it_and_the_next_one_is_done():
    work = Work()
    queue = Queue(work)
    calls = await begun(queue, 1, 13, 2)

    work.may_go_on.set()
    told = await asyncio.gather(*calls, return_exceptions=True)

    assert told[0] == 2
    assert [type(one) for one in told[1:]] == [LookupError, LookupError]
    assert await queue.do(5) == 10


async def test_of_calls_with_one_key_there_is_one_in_a_group():
    work = Work()
    calls = await begun(Queue(work, key=lambda number: number % 10 or None), 1, 5, 15, 7, 25, 10, 20)

    work.may_go_on.set()

    assert await asyncio.gather(*calls) == [2, 10, 30, 14, 50, 20, 40]
    assert work.groups == [[1], [5, 7, 10, 20], [15], [25]]


async def test_what_is_large_makes_a_group_of_few():
    work = Work()
    calls = await begun(Queue(work, size=lambda number: number), 1, 400, 500, 200, 2_000, 3, 4)

    work.may_go_on.set()
    await asyncio.gather(*calls)

    assert work.groups == [[1], [400, 500], [200], [2_000], [3, 4]]


async def test_a_call_that_is_cancelled_while_it_waits_is_not_done():
    work = Work()
    calls = await begun(Queue(work), 1, 2, 3)

    calls[1].cancel()
    await asyncio.sleep(0)
    work.may_go_on.set()

    assert await asyncio.gather(calls[0], calls[2]) == [2, 6]
    assert work.groups == [[1], [3]]


async def test_a_call_that_is_cancelled_while_it_is_done_does_not_disturb_its_group():
    work = Work()
    queue = Queue(work)
    calls = await begun(queue, 1)

    calls[0].cancel()
    work.may_go_on.set()

    assert await queue.do(2) == 4
    with pytest.raises(asyncio.CancelledError):
        await calls[0]


async def test_what_waits_behind_a_group_that_lasts_is_done_beside_it():
    work = Work()
    queue = Queue(work)
    (lasting,) = await begun(queue, 1)
    (waiting,) = await begun(queue, 2)

    async with asyncio.timeout(10):
        await work.begun.acquire()
        await work.begun.acquire()
    assert work.groups == [[1], [2]]

    work.may_go_on.set()
    assert await asyncio.gather(lasting, waiting) == [2, 4]
