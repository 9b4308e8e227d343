import asyncio
from collections.abc import Collection, Hashable, Sequence

import pytest

from gqlstock.stock.batcher import Batcher, Locked
from gqlstock.store.db.outages import Unavailable


class Doubling:
    """Writes batches of numbers, and answers each with its double. Negative numbers are refused; 13 fails its batch.

    It waits for what it is told to wait for, at most ``lock_timeout`` seconds, and sets numbers aside whose last digit is
    locked.
    """

    lock_timeout: float | None = None

    def __init__(self, *, paused: bool = True) -> None:
        self.batches: list[list[int]] = []
        self.waited: list[list[int]] = []
        """The batches that waited for locks."""
        self.locks: dict[int, asyncio.Event] = {}
        self.resumed = asyncio.Event()
        if not paused:
            self.resumed.set()

    def lock(self, digit: int) -> None:
        self.locks[digit] = asyncio.Event()

    def release(self, digit: int) -> None:
        self.locks.pop(digit).set()

    async def __call__(self, numbers: Sequence[int], wait_for: Collection[Hashable]) -> list[int | Exception]:
        (self.waited if wait_for else self.batches).append(list(numbers))
        for digit in wait_for:
            assert isinstance(digit, int)
            if digit in self.locks:
                try:
                    await asyncio.wait_for(self.locks[digit].wait(), self.lock_timeout)
                except TimeoutError as error:
                    raise Locked(frozenset(wait_for)) from error
        await self.resumed.wait()
        if 13 in numbers:
            raise LookupError
        return [self._answer(number) for number in numbers]

    def _answer(self, number: int) -> int | Exception:
        if number < 0:
            return ValueError(number)
        return Locked({number % 10}) if number % 10 in self.locks else 2 * number


async def started(batcher: Batcher[int, int], *numbers: int) -> list[asyncio.Task[int]]:
    """Calls made one after the other; the first of them runs, unless another does."""
    tasks = []
    for number in numbers:
        tasks.append(asyncio.create_task(batcher.do(number)))
        await settled()
    return tasks


async def settled() -> None:
    """Everything that can happen now has happened."""
    for _ in range(10):
        await asyncio.sleep(0)
    # The longest that a batch waits for others to join.
    await asyncio.sleep(0.01)


async def test_idle_batchers_run_calls_immediately_and_calls_during_a_write_form_the_next_batch():
    doubling = Doubling()
    calls = await started(Batcher(doubling), 1, 2, 3, 4)
    assert doubling.batches == [[1]]

    doubling.resumed.set()

    assert await asyncio.gather(*calls) == [2, 4, 6, 8]
    assert doubling.batches == [[1], [2, 3, 4]]


async def test_calls_that_are_a_few_turns_of_the_event_loop_apart_are_one_batch():
    doubling = Doubling(paused=False)
    batcher = Batcher(doubling)
    calls = []
    for number in (1, 2, 3):
        calls.append(asyncio.create_task(batcher.do(number)))
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    assert await asyncio.gather(*calls) == [2, 4, 6]
    assert doubling.batches == [[1, 2, 3]]


async def test_callers_that_call_again_at_once_do_so_together():
    doubling = Doubling(paused=False)
    batcher = Batcher(doubling)

    async def caller(number: int) -> None:
        # Reading the next request takes some turns of the event loop.
        for _ in range(4):
            await batcher.do(number)
            await asyncio.sleep(0)
            await asyncio.sleep(0)

    late = [asyncio.create_task(caller(number)) for number in range(5)]
    await asyncio.gather(*late)

    assert [len(batch) for batch in doubling.batches] == [5, 5, 5, 5]


async def test_a_batch_waits_but_shortly_for_a_stream_of_calls():
    doubling = Doubling()
    batcher = Batcher(doubling)
    calls = []
    for number in range(100, 160):
        calls.append(asyncio.create_task(batcher.do(number)))
        await asyncio.sleep(0.001)
    doubling.resumed.set()

    assert await asyncio.gather(*calls) == [2 * number for number in range(100, 160)]
    assert len(doubling.batches[0]) < 30


async def test_a_call_after_the_last_one_was_answered_runs():
    batcher = Batcher(Doubling(paused=False))

    assert [await batcher.do(number) for number in range(10)] == [2 * number for number in range(10)]


async def test_a_refused_call_touches_no_other():
    doubling = Doubling()
    calls = await started(Batcher(doubling), 1, 2, -3, 4)

    doubling.resumed.set()
    answers = await asyncio.gather(*calls, return_exceptions=True)

    assert (answers[0], answers[1], answers[3]) == (2, 4, 8)
    assert isinstance(answers[2], ValueError)


async def test_a_batch_that_fails_fails_each_of_its_calls_and_the_next_one_runs():
    doubling = Doubling()
    batcher = Batcher(doubling)
    calls = await started(batcher, 1, 13, 2)

    doubling.resumed.set()
    answers = await asyncio.gather(*calls, return_exceptions=True)

    assert answers[0] == 2
    assert [type(answer) for answer in answers[1:]] == [LookupError, LookupError]
    assert await batcher.do(5) == 10


async def test_a_batch_has_one_call_of_each_key():
    doubling = Doubling()
    batcher = Batcher(doubling, key=lambda number: number % 10 or None)
    calls = await started(batcher, 1, 5, 15, 7, 25, 10, 20)

    doubling.resumed.set()

    assert await asyncio.gather(*calls) == [2, 10, 30, 14, 50, 20, 40]
    assert doubling.batches == [[1], [5, 7, 10, 20], [15], [25]]


async def test_a_batch_is_closed_once_its_calls_come_to_a_thousand():
    doubling = Doubling()
    calls = await started(Batcher(doubling, size=lambda number: number), 1, 400, 500, 200, 2_000, 3, 4)

    doubling.resumed.set()
    await asyncio.gather(*calls)

    assert doubling.batches == [[1], [400, 500], [200], [2_000], [3, 4]]


async def test_a_batch_has_64_calls_at_most():
    doubling = Doubling()
    calls = await started(Batcher(doubling), *range(1, 101))

    doubling.resumed.set()
    answers = await asyncio.gather(*calls, return_exceptions=True)

    assert [len(batch) for batch in doubling.batches] == [1, 64, 35]
    assert [type(answer) for answer in answers[1:65]].count(LookupError) == 64  # 13 is among them
    assert answers[65:] == [2 * number for number in range(66, 101)]


async def test_a_call_that_is_cancelled_while_it_waits_does_not_run():
    doubling = Doubling()
    calls = await started(Batcher(doubling), 1, 2, 3)

    calls[1].cancel()
    await settled()
    doubling.resumed.set()

    assert await asyncio.gather(calls[0], calls[2]) == [2, 6]
    assert doubling.batches == [[1], [3]]


async def test_a_call_that_waited_too_long_for_its_batch_is_refused_and_never_runs():
    doubling = Doubling()
    calls = await started(Batcher(doubling, max_wait=lambda: 0.05), 1, 2)

    with pytest.raises(Unavailable, match=r"waited 0\.05 seconds"):
        await calls[1]
    doubling.resumed.set()

    # The first call was in a batch, and may have been committed.
    assert await calls[0] == 2
    await settled()
    assert doubling.batches == [[1]]


async def test_a_call_that_waited_too_long_for_a_lock_is_refused_and_never_runs():
    doubling = Doubling(paused=False)
    for digit in (1, 2, 3):
        doubling.lock(digit)
    # Two batches wait for their locks. The third call is in none.
    calls = await started(Batcher(doubling, max_wait=lambda: 0.2), 1, 2, 3)

    with pytest.raises(Unavailable):
        await calls[2]
    for digit in (1, 2, 3):
        doubling.release(digit)

    assert await asyncio.gather(*calls[:2]) == [2, 4]
    await settled()
    assert doubling.waited == [[1], [2]]


async def test_a_call_whose_wait_for_a_lock_was_in_vain_waits_behind_those_that_wait_for_other_locks():
    doubling = Doubling(paused=False)
    doubling.lock_timeout = 0.1
    for digit in (1, 2, 3):
        doubling.lock(digit)
    calls = await started(Batcher(doubling), 1, 2, 3)
    assert doubling.waited == [[1], [2]]
    doubling.release(3)

    # Nobody releases the locks of the first two.
    assert await asyncio.wait_for(calls[2], 5) == 6
    assert doubling.waited[:3] == [[1], [2], [3]]

    doubling.release(1)
    doubling.release(2)
    assert await asyncio.gather(*calls[:2]) == [2, 4]


async def test_a_call_that_waited_too_long_is_refused_when_its_lock_is_still_held():
    doubling = Doubling(paused=False)
    doubling.lock_timeout = 0.1
    doubling.lock(1)

    with pytest.raises(Unavailable, match=r"waited 0\.05 seconds"):
        await asyncio.wait_for(Batcher(doubling, max_wait=lambda: 0.05).do(1), 5)

    doubling.release(1)
    await settled()
    assert doubling.waited == [[1]]


async def test_a_call_that_is_cancelled_while_it_runs_does_not_disturb_others():
    doubling = Doubling()
    batcher = Batcher(doubling)
    calls = await started(batcher, 1, 2)

    calls[0].cancel()
    await settled()
    doubling.resumed.set()

    assert await calls[1] == 4
    with pytest.raises(asyncio.CancelledError):
        await calls[0]
    assert doubling.batches == [[1], [2]]
    assert await batcher.do(3) == 6


async def test_calls_whose_locks_others_have_wait_together_while_the_others_run():
    doubling = Doubling(paused=False)
    doubling.lock(7)
    batcher = Batcher(doubling)

    waiting = await started(batcher, 7, 17, 27)
    assert await batcher.do(1) == 2
    assert doubling.waited == [[7], [17]]

    doubling.release(7)
    assert await asyncio.gather(*waiting) == [14, 34, 54]
    assert doubling.waited == [[7], [17], [27]]
    assert doubling.batches == [[7], [17], [27], [1]]


async def test_at_most_two_batches_wait_at_once():
    doubling = Doubling(paused=False)
    for digit in (5, 6, 7):
        doubling.lock(digit)
    batcher = Batcher(doubling)

    waiting = await started(batcher, 5, 6, 7, 15)
    assert doubling.waited == [[5], [6]]

    doubling.release(6)
    assert await waiting[1] == 12
    await settled()
    assert doubling.waited == [[5], [6], [7]]

    doubling.release(5)
    doubling.release(7)
    assert await asyncio.gather(*waiting) == [10, 12, 14, 30]
    assert await batcher.do(1) == 2


async def test_a_waiting_batch_takes_only_calls_that_wait_for_what_it_waits_for():
    doubling = Doubling()
    batcher = Batcher(doubling)
    waiting = await started(batcher, 1, 5, 6, 15, 16)
    doubling.lock(5)
    doubling.lock(6)

    doubling.resumed.set()
    await settled()
    # The four calls were set aside together. One batch waits first; what is left of them waits in another.
    assert doubling.waited[0] == [5, 15]

    doubling.release(5)
    doubling.release(6)
    assert await asyncio.gather(*waiting) == [2, 10, 12, 30, 32]
    assert [6, 16] in doubling.waited


async def test_a_call_that_finds_another_lock_taken_after_it_waited_waits_again():
    doubling = Doubling(paused=False)
    doubling.lock(7)
    batcher = Batcher(doubling)
    (waiting,) = await started(batcher, 7)

    first = doubling.locks[7]
    doubling.lock(7)
    first.set()
    await settled()
    assert doubling.waited == [[7], [7]]

    doubling.release(7)
    assert await waiting == 14


async def test_a_call_that_is_cancelled_while_its_lock_is_waited_for_leaves_nothing_behind():
    doubling = Doubling(paused=False)
    doubling.lock(7)
    batcher = Batcher(doubling)
    waiting = await started(batcher, 7, 17)

    for call in waiting:
        call.cancel()
    doubling.release(7)
    await settled()

    assert [call.cancelled() for call in waiting] == [True, True]
    assert await batcher.do(27) == 54
