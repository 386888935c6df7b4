"""What a client is told when a graph refuses its request."""

import time

import numpy as np
import psutil
import pytest
import tensorflow as tf

import tfgen
from tests.servables import refuse_negative, spec, write, write_regression
from tests.specimens import compiled
from tfgen.serving.errors import Code, ServingError, sentence_of
from tfgen.serving.servable import Servable


def refuse_without_a_word(x):
    tf.debugging.assert_non_negative(x)
    return {"y": tf.identity(x)}


FAILING = {
    "serving_default": (refuse_negative, [spec("x")]),
    "product": (lambda x: {"y": tf.linalg.matmul(x, x)}, [spec("x", shape=(None, None))]),
    "number": (lambda x: {"y": tf.strings.to_number(x)}, [spec("x", tf.string)]),
    "untold": (refuse_without_a_word, [spec("x")]),
}


@pytest.fixture(scope="module")
def servables(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    own = tfgen.export(compiled("cgan"), folder / "cgan")
    return Servable(own), Servable(write(folder, "others", 1, FAILING))


@pytest.mark.parametrize(
    ("which", "signature", "inputs", "told"),
    [
        (
            0,
            "serving_default",
            {"latents": np.full([1, 3], np.nan, np.float32), "labels": np.int32([0])},
            "The input latents must be finite. Received: NaN.",
        ),
        (
            0,
            "sample",
            {"count": np.int32(0), "seed": np.int64(0)},
            "The input count must be between 1 and 4096. Received: 0.",
        ),
        (
            0,
            "sample_labels",
            {"labels": np.zeros(4097, np.int32), "seed": np.int64(0)},
            "The input labels must have at most 4096 rows. Received: 4097.",
        ),
        (
            0,
            "sample_labels",
            {"labels": np.int32([3, 10]), "seed": np.int64(0)},
            "Labels must be from 0 to 9. Received: 3 10.",
        ),
        (
            1,
            "serving_default",
            {"x": np.float32([-1, 2])},
            "x must not be negative. Received: -1 2.",
        ),
        (
            1,
            "product",
            {"x": np.ones([2, 3], np.float32)},
            "Matrix size-incompatible: In[0]: [2,3], In[1]: [2,3]",
        ),
        (
            1,
            "number",
            {"x": np.array([b"a [[x]] b"], object)},
            "StringToNumberOp could not correctly convert string: a [[x]] b",
        ),
        (
            1,
            "untold",
            {"x": np.float32([-1])},
            "Condition x >= 0 did not hold element-wise. Received: -1.",
        ),
    ],
)
def test_a_client_is_told_the_sentence_that_helps(servables, which, signature, inputs, told):
    with pytest.raises(ServingError) as raised:
        servables[which].signature(signature)(inputs)
    assert (raised.value.message, raised.value.code) == (told, Code.INVALID_ARGUMENT)


DETECTED = (
    "Graph execution error:\n\nDetected at node 'Add' defined at (most recent call last):\n"
    '  File "/home/author/model.py", line 3, in build\n    model.compile(loss="mse")\n'
    '  File "<stdin>", line 1, in <module>\n\n  File "/srv/tfgen/serving/servable.py", line 44, in '
    "__init__\n    self._loaded = tf.saved_model.load(str(self.path))\n"
)


@pytest.mark.parametrize(
    ("message", "told"),
    [
        (
            f"{DETECTED}Incompatible shapes: [2] vs. [3]\n\t [[{{{{node Add}}}}]] [Op:__inf_3]",
            "Incompatible shapes: [2] vs. [3]",
        ),
        (f"{DETECTED}assertion failed: [no] [Condition x] [-1]", "no. Received: -1."),
        (
            "ValueError: no callback\nTraceback (most recent call last):\n\n"
            '  File "/usr/lib/script_ops.py", line 257, in __call__\n    raise ValueError(\n\n'
            "ValueError: no callback\n\n\n\t [[{{node PyFunc}}]]",
            "ValueError: no callback",
        ),
        (
            "Could not parse example input, value: ''\n\t [[node Parse (defined at /a/b.py:33) ]]\n"
            "\nOriginal stack trace for 'Parse':\n  File \"/a/b.py\", line 33, in <module>\n",
            "Could not parse example input, value: ''",
        ),
        (
            "Bad input\n\nOriginal stack trace for 'Parse':\n  File \"/a/b.py\", line 1, in f\n",
            "Bad input",
        ),
        ("/srv/models/a b/1/words.txt; No such file", "a b/1/words.txt; No such file"),
        ("gs://bucket/models/1/words.txt: gone", "words.txt: gone"),
        ("Of model/dense/MatMul, 1/2 and [2]/[3]", "Of model/dense/MatMul, 1/2 and [2]/[3]"),
        ("no " * 1000, "no " * 166 + "no..."),
    ],
)
def test_stacks_and_paths_are_left_out(message, told):
    assert sentence_of(tf.errors.InvalidArgumentError(None, None, message)) == told


@pytest.mark.parametrize("message", ["/" * 10**6, " " * 10**6, "/a" * 10**6, "\n" * 10**6])
def test_a_long_message_takes_no_long_time(message):
    start = time.process_time()
    assert len(sentence_of(tf.errors.InvalidArgumentError(None, None, message))) < 510
    assert time.process_time() - start < 1


@pytest.mark.slow
def test_refused_requests_leave_nothing_behind(servables):
    signature, process = servables[1].signature("number"), psutil.Process()

    def refuse(times):
        for _ in range(times):
            with pytest.raises(ServingError, match="could not correctly convert"):
                signature({"x": np.array([b"no" * 5000], object)})

    refuse(500)
    before = process.memory_info().rss
    refuse(2000)  # of which a `tf.function` keeps 20 MB
    assert process.memory_info().rss - before < 5e6


def test_an_example_that_a_model_of_tensorflow_1_cannot_parse_is_one_sentence(tmp_path):
    path = write_regression(tmp_path, "regression", 1)
    with pytest.raises(ServingError) as raised:
        Servable(path).signature("regress_x_to_y")({"inputs": np.array([b""], object)})
    assert raised.value.message == (
        "Name: <unknown>, Feature: x (data type: float) is required but could not be found."
    )
