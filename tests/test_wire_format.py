"""What the bytes of a message tell before they are parsed."""

import time

import numpy as np
import pytest
from tensorflow_serving.apis import model_management_pb2, predict_pb2

from tests import hostile_grpc
from tests.hostile_grpc import field, of_tensor
from tfgen.serving.wire_format import MOST_FIELDS, check_message

PREDICT = predict_pb2.PredictRequest.DESCRIPTOR
RELOAD = model_management_pb2.ReloadConfigRequest.DESCRIPTOR


def predict(**inputs):
    _, request = hostile_grpc.predict(**inputs)
    return request.SerializeToString()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        predict(x=np.zeros([1024, 300], np.float32), label=np.arange(1024)),
        predict(text=[b"a" * 100] * 1024),
        predict(**{f"x{index}": np.zeros(10) for index in range(100)}),
        of_tensor(b"\x2d\0\0\x80\x3f" * 1000)[1],  # floats that are not packed
        predict(x=np.zeros(1)) + field(15, b"unknown") + b"\x80\x10\x07" + b"\x79" + bytes(8),
    ],
    ids=["empty", "tensors", "strings", "inputs", "not packed", "unknown fields"],
)
def test_honest_messages_pass(content):
    check_message(content, PREDICT, 2**26)
    predict_pb2.PredictRequest.FromString(content)


@pytest.mark.parametrize(
    ("content", "descriptor"),
    [
        (hostile_grpc.with_dims(MOST_FIELDS)[1], PREDICT),
        (hostile_grpc.with_inputs(MOST_FIELDS + 1)[1], PREDICT),
        (hostile_grpc.with_configs(MOST_FIELDS)[1], RELOAD),
        (of_tensor(field(8, b"") * MOST_FIELDS)[1], PREDICT),
        (of_tensor(b"\x38\0" * MOST_FIELDS)[1], PREDICT),
        (of_tensor(field(15, field(3, b"") * MOST_FIELDS))[1], PREDICT),
    ],
    ids=["sizes", "inputs", "models", "strings", "numbers", "tensors in a variant"],
)
def test_more_fields_than_there_may_be_are_refused(content, descriptor):
    with pytest.raises(ValueError, match=f"more than {MOST_FIELDS} fields"):
        check_message(content, descriptor, 2**26)


def test_packed_numbers_are_counted_by_what_they_take():
    """A byte of a 64-bit integer becomes eight."""
    check_message(of_tensor(field(10, bytes(1000)))[1], PREDICT, 8000)
    with pytest.raises(ValueError, match="may take more than 8000 bytes"):
        check_message(of_tensor(field(10, bytes(1001)))[1], PREDICT, 8000)
    check_message(of_tensor(field(5, bytes(8000)))[1], PREDICT, 8000)  # floats do not grow


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\x0b", "groups"),
        (b"\x07\x07", "no message"),
        (b"\x12\x05ab", "ends too early"),
        (field(2, b"\x12\x05ab"), "ends too early"),
        (b"\x12", "ends too early"),
        (b"\x12" + b"\xff" * 20, "no message"),
        (b"\x09\0\0", "ends too early"),
    ],
)
def test_what_is_no_message_is_refused(content, message):
    with pytest.raises(ValueError, match=message):
        check_message(content, PREDICT, 2**26)


def test_messages_within_messages_need_no_recursion():
    _, content = hostile_grpc.in_tensors(5000)
    check_message(content, PREDICT, 2**26)


def test_a_large_message_takes_no_time():
    """Both have 10 MiB: the one has ten fields, and the other is given up after 65,536."""
    honest = predict(x=np.zeros([1024, 2560], np.float32))
    _, hostile = hostile_grpc.with_dims(5 * 2**20)
    start = time.perf_counter()
    check_message(honest, PREDICT, 2**26)
    between = time.perf_counter()
    with pytest.raises(ValueError, match="fields"):
        check_message(hostile, PREDICT, 2**26)
    assert between - start < 0.1 and time.perf_counter() - between < 1
