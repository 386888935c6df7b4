"""As many calls run at once as there are cores, beside those that take long."""

import threading
import time

from tfgen.serving.turns import Turns


def run(turns, seconds, count):
    """Returns how many of `count` calls, each of which sleeps, ran at most at once."""
    running, most, lock = [0], [0], threading.Lock()

    def call():
        with turns.turn():
            with lock:
                running[0] += 1
                most[0] = max(most[0], running[0])
            time.sleep(seconds)
            with lock:
                running[0] -= 1

    threads = [threading.Thread(target=call) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    return most[0]


def test_calls_wait_for_their_turn():
    assert run(Turns(most=2, patience=20.0), seconds=0.05, count=8) == 2


def test_a_call_that_takes_long_gives_up_its_place():
    turns, end = Turns(most=2, patience=0.2), threading.Event()

    def take_long():
        with turns.turn():
            end.wait(20)

    threads = [threading.Thread(target=take_long) for _ in range(4)]
    for thread in threads:
        thread.start()
    begin = time.monotonic()
    assert run(turns, seconds=0.01, count=4) <= 2
    assert 0.2 < time.monotonic() - begin < 5
    end.set()
    for thread in threads:
        thread.join(20)


def test_a_call_that_fails_gives_up_its_place():
    turns = Turns(most=1, patience=20.0)
    for _ in range(2):
        try:
            with turns.turn():
                raise ZeroDivisionError
        except ZeroDivisionError:
            pass
    assert run(turns, seconds=0.0, count=1) == 1
