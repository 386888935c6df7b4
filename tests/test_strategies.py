"""A step over a global batch gives the same weights, however many replicas share it."""

import json
import os
import re
import subprocess
import sys

import numpy as np
import pytest

from tests.replicas import (
    IN_SECONDS,
    IN_WORKERS,
    MEETING,
    OF_EACH_KIND,
    STREAMS,
    conv_features,
    far_values,
)
from tests.specimens import SPECIMENS, images
from training.launch import free_ports

TIMEOUT = 480  # seconds, of about a dozen specimens


def start(strategy, path, specimens, **environment):
    command = [sys.executable, "-m", "tests.replicas", strategy, str(path), *specimens]
    return subprocess.Popen(
        command,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def finish(process, path, seconds=TIMEOUT):
    try:
        output, _ = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()  # else it would compute on, beside the tests that follow
        process.communicate()
        raise
    assert process.returncode == 0, output[-3000:]
    with np.load(path) as archive:
        return dict(archive)


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    path = tmp_path_factory.mktemp("alone") / "weights.npz"
    return finish(start("none", path, OF_EACH_KIND), path)


def assert_same_training(results, expected, chosen):
    compared = [
        name
        for name in expected
        if {name.split("/")[0], "/".join(name.split("/")[:2])} & set(chosen)
    ]
    assert [
        name for name in results if not name.startswith(("moments/", "rows", "refusal/"))
    ] == compared
    assert len([name for name in compared if name.endswith("/kernel")]) > 20
    for name in compared:
        np.testing.assert_allclose(
            results[name], expected[name], rtol=2e-4, atol=2e-5, err_msg=name
        )


def assert_same_moments(results):
    features = conv_features()(images(23)).astype(np.float64)
    used = {"uneven": features, "fewer than replicas": features[:3], "static": features[:12]}
    assert list(used) == list(STREAMS)
    for name, rows in used.items():
        count, mean, covariance = (
            results[f"moments/{name}/{part}"] for part in ("count", "mean", "covariance")
        )
        assert count == len(rows)
        np.testing.assert_allclose(mean, rows.mean(axis=0), rtol=1e-5, atol=1e-7)
        np.testing.assert_allclose(covariance, np.cov(rows, rowvar=False), rtol=0, atol=1e-7)


def assert_normalized_by_all(rows, of):
    values = far_values().astype(np.float64)
    expected = (values - values.mean(axis=0)) / np.sqrt(values.var(axis=0) + 1e-3)
    np.testing.assert_allclose(rows, expected[of], atol=1e-3)


def assert_refused(results, names):
    """What XLA cannot compile is told before anything changes."""
    for name in names:
        told = str(results[f"refusal/{name}"])
        assert re.fullmatch(
            "XLA compiles the losses .*look at all replicas, in `.*. 0 steps", told
        ), told


def test_two_replicas_train_as_one(tmp_path):
    alone, mirrored = (
        finish(start(name, path := tmp_path / f"{name}.npz", IN_SECONDS), path)
        for name in ("none", "mirrored")
    )
    assert_same_training(mirrored, alone, IN_SECONDS)
    assert_same_moments(mirrored)
    assert_normalized_by_all(mirrored["rows/normalized"], slice(None))
    assert_refused(mirrored, ("wgan_gp", "vq_vae"))


@pytest.mark.slow
def test_two_replicas_train_every_specimen_as_one(tmp_path):
    alone, mirrored = (
        finish(start(name, path := tmp_path / f"{name}.npz", SPECIMENS), path, 3 * TIMEOUT)
        for name in ("none", "mirrored")
    )
    assert_same_training(mirrored, alone, SPECIMENS)
    assert_refused(mirrored, MEETING)


@pytest.mark.slow
def test_two_worker_processes_train_as_one(alone, tmp_path):
    addresses = [f"localhost:{port}" for port in free_ports(2)]
    workers = []
    for index in range(2):
        config = {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": index}}
        path = tmp_path / f"{index}.npz"
        workers.append((start("multiworker", path, IN_WORKERS, TF_CONFIG=json.dumps(config)), path))
    try:
        for index, (process, path) in enumerate(workers):
            results = finish(process, path)
            share = slice(4 * index, 4 * index + 4)
            np.testing.assert_array_equal(results["rows"], alone["rows"][:, share])
            assert_normalized_by_all(results["rows/normalized"], share)
            assert_same_training(results, alone, IN_WORKERS)
            assert_same_moments(results)
    finally:
        for process, _ in workers:
            process.kill()
            process.communicate()
