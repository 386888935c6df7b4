"""Answers of threads come to the event loop that waits for them, together."""

import asyncio
import concurrent.futures
import threading

import pytest

from tfgen.serving.deliveries import Deliveries


def run(wait):
    """Runs a coroutine function of `Deliveries`, in a loop that counts how often it is woken."""

    async def count():
        loop, woken = asyncio.get_running_loop(), []
        call_soon = loop.call_soon_threadsafe
        loop.call_soon_threadsafe = lambda *args: (woken.append(args), call_soon(*args))
        return await wait(Deliveries(loop)), len(woken)

    return asyncio.run(count())


def in_thread(function):
    thread = threading.Thread(target=function)
    thread.start()
    thread.join()


def test_what_is_finished_together_wakes_the_loop_once():
    futures = [concurrent.futures.Future() for _ in range(64)]

    async def wait(deliveries):
        waiting = asyncio.gather(*(deliveries.result_of(future, 5) for future in futures))
        await asyncio.sleep(0)
        in_thread(lambda: [future.set_result(n) for n, future in enumerate(futures)])
        return await waiting

    found, woken = run(wait)
    assert found == list(range(64)) and woken == 1


def test_none_is_lost_that_many_threads_finish():
    futures = [concurrent.futures.Future() for _ in range(2000)]

    async def wait(deliveries):
        waiting = asyncio.gather(*(deliveries.result_of(future, 20) for future in futures))
        await asyncio.sleep(0)
        threads = [
            threading.Thread(
                target=lambda part: [each.set_result(1) for each in part], args=(part,)
            )
            for part in (futures[n::8] for n in range(8))
        ]
        for thread in threads:
            thread.start()
        return sum(await waiting)

    assert run(wait)[0] == 2000


def test_an_error_is_raised_where_its_answer_is_awaited():
    future = concurrent.futures.Future()
    future.set_exception(ValueError("no"))
    with pytest.raises(ValueError, match="no"):
        run(lambda deliveries: deliveries.result_of(future, 5))


def test_who_waits_too_long_gives_up_and_the_request_is_cancelled():
    future = concurrent.futures.Future()
    with pytest.raises(asyncio.TimeoutError):
        run(lambda deliveries: deliveries.result_of(future, 0.01))
    assert future.cancelled()


def test_who_is_cancelled_cancels_the_request():
    future = concurrent.futures.Future()

    async def wait(deliveries):
        task = asyncio.create_task(deliveries.result_of(future, 5))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run(wait)
    assert future.cancelled()


def test_an_answer_that_comes_too_late_is_dropped():
    future = concurrent.futures.Future()
    future.set_running_or_notify_cancel()

    async def wait(deliveries):
        with pytest.raises(asyncio.TimeoutError):
            await deliveries.result_of(future, 0.01)
        in_thread(lambda: future.set_result(1))
        await asyncio.sleep(0.01)

    run(wait)
