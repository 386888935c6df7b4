"""AutoGraph converts no code of ours.

It rewrites Python's syntax trees, in ways that a new Python may not take: with 3.13 it warns, and
where warnings are errors it leaves a loop as it was, which then fails.
"""

import ast
import pathlib

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.autograph.impl import api

import tfgen
from tests.specimens import compiled, images
from tfgen.data import Domains, Source, batches
from tfgen.evaluation.features import batches_of

ROOT = pathlib.Path(__file__).parent.parent


def trees(*folders):
    for folder in folders:
        for path in (ROOT / folder).rglob("*.py"):
            yield path, ast.parse(path.read_text())


def test_no_graph_of_the_library_or_of_training_asks_for_it():
    for path, tree in trees("tfgen", "training"):
        told = set()
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "tf.function":
                if any(ast.unparse(word) == "autograph=False" for word in node.keywords):
                    told.add(node.func)
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and ast.unparse(node) == "tf.function":
                assert node in told, f"{path}:{node.lineno}: say autograph=False"


def test_no_loop_needs_it():
    for path, tree in trees("tfgen", "training", "tests"):
        for node in ast.walk(tree):
            if isinstance(node, ast.For) and ast.unparse(node.iter).startswith("tf.range"):
                raise AssertionError(f"{path}:{node.lineno}: write a tf.while_loop or a tf.foldl")


@pytest.fixture
def converted(monkeypatch):
    """Returns a list of the functions of ours, tests' included, that AutoGraph converts."""
    convert, found = api._convert_actual, []

    def watch(function, context):
        if function.__module__.startswith(("tfgen.", "training.", "tests.")):
            found.append(function)
        return convert(function, context)

    monkeypatch.setattr(api, "_convert_actual", watch)
    return found


def test_what_it_converts_is_seen(converted):
    list(tf.data.Dataset.range(1).map(lambda number: number + 1))
    assert len(converted) == 1


@pytest.mark.parametrize("shuffle", [True, False])
def test_batches_are_read_without_it(converted, shuffle):
    pictures = Source(np.zeros([6, 4, 4, 1], np.uint8), np.arange(6))
    list(batches(pictures, 2, shuffle=shuffle, labels=True))
    list(batches(pictures, 2, shuffle=shuffle, repeat=True, binarized="stochastic").take(4))
    list(batches(Domains(pictures, pictures), 2, shuffle=shuffle))
    list(batches_of(batches(pictures, 2), 3))
    assert not converted


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mlp_vae", "gan"])
def test_models_learn_and_answer_without_it(converted, tmp_path, name):
    model = compiled(name)
    model.fit(images(8), batch_size=4, verbose=0)
    model.sample(2, seed=0)
    if "log_likelihood" in model.abilities:
        model.log_likelihood(images(8), samples=60)
    tfgen.export(model, tmp_path / "export", png=True)
    assert not converted
