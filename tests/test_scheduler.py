"""Requests wait in the line of their model; those for one signature are answered together."""

import gc
import threading
import time
import weakref

import numpy as np
import pytest

from tfgen.serving import line
from tfgen.serving.errors import Code, ServingError, invalid
from tfgen.serving.scheduler import Limits, Scheduler


class Model:
    """What signatures belong to."""


MODEL = Model()


class Doubling:
    """A signature that doubles x, once it may, and refuses negative ones."""

    def __init__(self, is_batched=True, owner=MODEL):
        self.owner = owner
        self.inputs = {"x": None}
        self.is_batched = is_batched
        self.may = threading.Event()
        self.called = threading.Event()
        self.sizes = []

    def rows(self, inputs):
        return len(inputs["x"])

    def cost(self, inputs):
        return max(1, self.rows(inputs))

    def check(self, inputs):
        if inputs.keys() != {"x"}:
            raise invalid("x is missing")

    def __call__(self, inputs):
        self.called.set()
        assert self.may.wait(10)
        self.sizes.append(len(inputs["x"]))
        if (inputs["x"] < 0).any():
            raise invalid("negative")
        return {"y": 2 * inputs["x"]}


@pytest.fixture
def start(request):
    def make(**limits):
        scheduler = Scheduler(Limits(**limits))
        request.addfinalizer(scheduler.close)
        return scheduler

    return make


def ask(scheduler, signature, *values, **options):
    return scheduler.submit(signature, {"x": np.array(values)}, **options)


def busy(scheduler, signature):
    """Makes the scheduler's thread wait in a call of `signature`."""
    future = ask(scheduler, signature, 100)
    assert signature.called.wait(10)
    return future


def wait_until(condition):
    """Waits until a condition holds, and tells whether it does."""
    end = time.monotonic() + 10
    while not condition() and time.monotonic() < end:
        time.sleep(0.01)
    return condition()


def test_what_waits_is_answered_together_and_each_gets_its_own(start):
    scheduler, signature = start(max_batch_size=5), Doubling()
    first = busy(scheduler, signature)
    others = [ask(scheduler, signature, *range(size)) for size in (1, 2, 3, 2)]
    assert scheduler.waiting == 8
    signature.may.set()
    assert first.result(10)["y"].tolist() == [200]
    assert [each.result(10)["y"].tolist() for each in others] == [
        [0],
        [0, 2],
        [0, 2, 4],
        [0, 2],
    ]
    assert signature.sizes == [1, 3, 5]  # never more than 5, in the order in which they came
    assert scheduler.waiting == 0


def test_rows_of_other_shapes_are_answered_apart(start):
    scheduler, signature = start(), Doubling()
    busy(scheduler, signature)
    shapes = [(1, 2), (1, 3), (2, 2)]
    futures = [scheduler.submit(signature, {"x": np.ones(shape)}) for shape in shapes]
    signature.may.set()
    assert [each.result(10)["y"].shape for each in futures] == shapes
    assert signature.sizes == [1, 3, 1]  # of the same shape together


def test_whatever_fails_the_next_request_is_answered(start):
    scheduler, signature = start(), Doubling()
    busy(scheduler, signature)
    texts = [ask(scheduler, signature, value) for value in ("a", "b")]
    signature.may.set()
    for future in texts:
        with pytest.raises(TypeError):
            future.result(10)
    assert ask(scheduler, signature, 1).result(10)["y"] == [2]


def test_where_several_ask_a_call_waits_for_others_until_none_come(start):
    scheduler, signature = start(pause=0.5), Doubling()
    busy(scheduler, signature)
    early = [ask(scheduler, signature, value) for value in (1, 2)]
    signature.may.set()
    time.sleep(0.1)  # the first call has ended, and nothing runs
    late = ask(scheduler, signature, 3)
    assert [each.result(10)["y"].tolist() for each in (*early, late)] == [[2], [4], [6]]
    assert signature.sizes == [1, 3]


def test_a_single_client_never_waits_for_others(start):
    scheduler, signature = start(pause=5.0), Doubling()
    signature.may.set()
    begin = time.monotonic()
    for value in range(3):
        ask(scheduler, signature, value).result(10)
    assert time.monotonic() - begin < 2 and signature.sizes == [1, 1, 1]


def test_a_bad_request_does_not_harm_the_others(start):
    scheduler, signature = start(), Doubling()
    busy(scheduler, signature)
    good, bad, other = (ask(scheduler, signature, value) for value in (1, -1, 2))
    signature.may.set()
    assert good.result(10)["y"] == 2 and other.result(10)["y"] == 4
    with pytest.raises(ServingError, match="negative"):
        bad.result(10)


def test_a_mistake_of_the_model_is_told_and_the_next_request_answered(start):
    class Broken(Doubling):
        def __call__(self, inputs):
            raise ZeroDivisionError

    scheduler, signature = start(), Doubling()
    signature.may.set()
    with pytest.raises(ZeroDivisionError):
        ask(scheduler, Broken(), 1).result(10)
    assert ask(scheduler, signature, 1).result(10)["y"] == 2


def test_answers_with_other_rows_are_not_cut_apart(start):
    class Summing(Doubling):
        def __call__(self, inputs):
            super().__call__(inputs)
            return {"y": inputs["x"].sum(keepdims=True)}

    scheduler, signature = start(), Summing()
    busy(scheduler, signature)
    futures = [ask(scheduler, signature, 1, 2), ask(scheduler, signature, 3, 4)]
    signature.may.set()
    assert [each.result(10)["y"].tolist() for each in futures] == [[3], [7]]


def test_signatures_without_rows_are_called_one_by_one(start):
    scheduler, signature = start(), Doubling(is_batched=False)
    busy(scheduler, signature)
    futures = [ask(scheduler, signature, value) for value in (1, 2)]
    signature.may.set()
    assert [each.result(10)["y"].tolist() for each in futures] == [[2], [4]]
    assert signature.sizes == [1, 1, 1]


def test_one_signature_does_not_keep_another_waiting(start):
    scheduler, greedy, other = start(max_batch_size=1), Doubling(), Doubling()
    other.may.set()
    first = busy(scheduler, greedy)
    later = [ask(scheduler, greedy, value) for value in range(3)]
    asked = ask(scheduler, other, 7)
    order = []
    for name, future in [("other", asked), *(("greedy", each) for each in later)]:
        future.add_done_callback(lambda _, name=name: order.append(name))
    greedy.may.set()
    assert first.result(10)
    assert [each.result(10) for each in [*later, asked]]
    assert order.index("other") <= 1


def test_a_full_line_takes_no_more(start):
    scheduler, signature = start(max_queue_rows=4), Doubling()
    busy(scheduler, signature)
    ask(scheduler, signature, 1, 2)
    with pytest.raises(ServingError, match="at most 4 rows. Received: 2, while 3") as raised:
        ask(scheduler, signature, 1, 2)
    assert raised.value.code is Code.RESOURCE_EXHAUSTED
    ask(scheduler, signature, 1)
    signature.may.set()


def test_what_is_answered_counts_as_what_waits(start):
    scheduler, signature = start(max_queue_rows=4), Doubling()
    ask(scheduler, signature, 1, 2, 3)
    assert signature.called.wait(10) and scheduler.waiting == 0
    with pytest.raises(ServingError, match="Received: 2, while 3 wait or are answered"):
        ask(scheduler, signature, 1, 2)
    signature.may.set()
    assert wait_until(lambda: not scheduler._all()[0]._rows)
    assert ask(scheduler, signature, 1, 2, 3, 4).result(10)


def test_the_bytes_of_a_line_are_bounded_unless_it_is_one_request(start):
    scheduler, signature = start(max_queue_bytes=20), Doubling()
    busy(scheduler, signature)  # 8 bytes
    ask(scheduler, signature, 1)
    with pytest.raises(ServingError, match="at most 20 bytes. Received: 8, while 16") as raised:
        ask(scheduler, signature, 1)
    assert raised.value.code is Code.RESOURCE_EXHAUSTED
    signature.may.set()
    other = Doubling(owner=Model())
    other.may.set()
    assert ask(scheduler, other, 1, 2, 3).result(10)  # 24 bytes


def test_a_model_that_is_stuck_refuses_its_own_requests_only(start):
    scheduler, stuck, other = start(max_queue_rows=2), Doubling(), Doubling(owner=Model())
    busy(scheduler, stuck)
    ask(scheduler, stuck, 1)
    with pytest.raises(ServingError, match="The model's queue"):
        ask(scheduler, stuck, 1)
    other.may.set()
    begin = time.monotonic()
    assert ask(scheduler, other, 1).result(10)["y"] == 2
    assert time.monotonic() - begin < 1 and not stuck.sizes
    stuck.may.set()


def test_calls_that_take_long_do_not_keep_the_places_of_others(start):
    scheduler = start()
    stuck = [Doubling(owner=Model()) for _ in range(20)]  # more than there are cores
    for signature in stuck:
        ask(scheduler, signature, 1)
    other = Doubling()
    other.may.set()
    assert ask(scheduler, other, 1).result(20)["y"] == 2
    for signature in stuck:
        signature.may.set()


def test_a_line_goes_with_its_model(start, monkeypatch):
    monkeypatch.setattr(line, "_IDLE", 0.1)
    scheduler, signature = start(), Doubling(owner=Model())
    signature.may.set()
    for _ in range(2):  # its thread ends, and begins with the next request
        assert ask(scheduler, signature, 1).result(10)
        assert wait_until(lambda: scheduler._all()[0]._thread is None)
    owner = weakref.ref(signature.owner)
    del signature
    gc.collect()
    assert owner() is None and scheduler._all() == []


def test_what_nobody_waits_for_leaves_its_place_and_its_memory(start):
    scheduler, signature = start(max_queue_rows=2), Doubling()
    busy(scheduler, signature)
    values = np.zeros(1)
    unwanted, values = scheduler.submit(signature, {"x": values}), weakref.ref(values)
    assert scheduler.waiting == 1
    unwanted.cancel()
    assert scheduler.waiting == 0 and values() is None
    wanted = ask(scheduler, signature, 3)
    signature.may.set()
    assert wanted.result(10)["y"] == 6 and signature.sizes == [1, 1]


def test_the_arrays_of_a_request_are_freed_with_its_answer(start):
    scheduler, signature = start(), Doubling()
    signature.may.set()
    values = np.zeros(1)
    gc.disable()
    try:
        assert scheduler.submit(signature, {"x": values}).result(10)
        known = weakref.ref(values)
        del values
        assert wait_until(lambda: known() is None)
    finally:
        gc.enable()


def test_a_request_has_a_bounded_number_of_rows(start):
    with pytest.raises(ServingError, match="at most 2 rows. Received: 3") as raised:
        ask(start(max_request_rows=2), Doubling(), 1, 2, 3)
    assert raised.value.code is Code.INVALID_ARGUMENT


def test_inputs_are_checked_before_the_line(start):
    with pytest.raises(ServingError, match="x is missing"):
        start().submit(Doubling(), {})


def test_who_waited_too_long_is_told_so(start):
    scheduler, signature = start(), Doubling()
    busy(scheduler, signature)
    late = ask(scheduler, signature, 1, timeout=0.01)
    time.sleep(0.05)
    signature.may.set()
    with pytest.raises(ServingError, match="waited in the queue for too long") as raised:
        late.result(10)
    assert raised.value.code is Code.DEADLINE_EXCEEDED
    assert signature.sizes == [1]


def test_what_nobody_waits_for_is_left_out(start):
    scheduler, signature = start(), Doubling()
    busy(scheduler, signature)
    unwanted, wanted = ask(scheduler, signature, 1), ask(scheduler, signature, 2)
    assert unwanted.cancel()
    signature.may.set()
    assert wanted.result(10)["y"] == 4
    assert signature.sizes == [1, 1]


def test_at_the_end_what_waits_is_answered_and_no_more_taken():
    scheduler, signature = Scheduler(Limits()), Doubling()
    busy(scheduler, signature)
    waiting = ask(scheduler, signature, 1)
    signature.may.set()
    scheduler.close()
    assert waiting.result(0)["y"] == 2
    with pytest.raises(ServingError, match="shutting down") as raised:
        ask(scheduler, signature, 1)
    assert raised.value.code is Code.UNAVAILABLE
