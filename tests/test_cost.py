"""What requests cost."""

import struct

import numpy as np
import pytest
import tensorflow as tf

from tests.servables import SIGNATURES, spec, write
from tfgen.serving.cost import bytes_of, cost_of
from tfgen.serving.errors import ServingError
from tfgen.serving.scheduler import Limits, Scheduler
from tfgen.serving.servable import Servable

COUNT = np.int32(4096)


def png(side):
    """The header of a file that claims to be an image of `side` x `side` pixels."""
    return b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + struct.pack(">II", side, side)


@pytest.mark.parametrize(
    ("inputs", "rows", "numbers_per_row", "cost"),
    [
        ({"count": COUNT, "seed": np.int64(7)}, 1, 784, 4096),
        ({"count": np.int32(16), "seed": np.int64(7)}, 1, 1024 * 1024 * 3, 16 * 12),
        ({"count": np.int32(-5)}, 1, 784, 1),
        ({"count": np.array([4096, 4096], np.int32)}, 2, 1, 2),  # no number, but rows
        ({"count": np.float32(4096)}, 1, 1, 1),
        ({"x": np.zeros([10, 28, 28, 1])}, 10, 1, 10),
        ({"x": np.zeros([10, 1024, 256])}, 10, 1, 10),
        ({"x": np.zeros([10, 1024, 512])}, 10, 1, 20),
        ({"x": np.zeros([0, 28])}, 0, 1, 1),
        ({"x": np.array([png(256)] * 3, object)}, 3, 1, 3),
        ({"x": np.array([png(4096)] * 300, object)}, 300, 1, 300 * 256),
        ({"x": np.array([b"text", b"\x89PNG\r\n\x1a\n"], object)}, 2, 1, 2),
        ({}, 1, 1, 1),
    ],
)
def test_a_request_costs_what_is_to_be_done(inputs, rows, numbers_per_row, cost):
    assert cost_of(inputs, rows, numbers_per_row) == cost


def test_strings_have_the_bytes_of_their_texts():
    assert bytes_of({"x": np.zeros([2, 3], np.float32)}) == 24
    assert bytes_of({"x": np.array([b"a" * 100, b""], object)}) == 16 + 100


@pytest.fixture(scope="module")
def signatures(tmp_path_factory):
    large = {
        "serving_default": (
            lambda count: {"images": tf.zeros([count, 1024, 1024, 4])},
            [spec("count", tf.int32, ())],
        )
    }
    folder = tmp_path_factory.mktemp("models")
    parts = Servable(write(folder, "parts", 1, SIGNATURES))
    return parts, Servable(write(folder, "large", 1, large))


def test_signatures_tell_what_their_requests_cost(signatures):
    parts, large = signatures
    assert parts.signature("count").cost({"count": COUNT, "seed": np.int64(0)}) == 4096
    assert parts.signature("two").cost({"x": np.zeros([3, 2]), "label": np.zeros(3)}) == 3
    assert parts.signature("constant").cost({}) == 1
    assert large.signature("serving_default").cost({"count": np.int32(5)}) == 5 * 16


def test_a_request_for_many_examples_takes_their_places(signatures):
    scheduler = Scheduler(Limits(max_request_rows=100, max_queue_rows=100))
    signature = signatures[0].signature("count")
    with pytest.raises(ServingError, match="at most 100 rows. Received: 4096. An example that"):
        scheduler.submit(signature, {"count": COUNT, "seed": np.int64(0)})
    answer = scheduler.submit(signature, {"count": np.int32(100), "seed": np.int64(0)})
    assert len(answer.result(10)["drawn"]) == 100
    scheduler.close()
