"""What a client is told when a graph refuses its request."""

import numpy as np
import pytest
import tensorflow as tf

import tfgen
from tests.servables import refuse_negative, spec, write
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


def test_stacks_and_paths_of_a_graph_s_author_are_left_out():
    message = (
        "Graph execution error:\n\nDetected at node 'Add' defined at (most recent call last):\n"
        '  File "/home/author/model.py", line 3, in build\n  File "<stdin>", line 1, in <module>\n'
        "Incompatible shapes: [2] vs. [3]\n\t [[{{node Add}}]] [Op:__inference_3]"
    )
    error = tf.errors.InvalidArgumentError(None, None, message)
    assert sentence_of(error) == "Incompatible shapes: [2] vs. [3]"
