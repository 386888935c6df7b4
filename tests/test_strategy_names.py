"""Strategies by name, and the cluster that a process finds itself in."""

import json
import os
import subprocess
import sys

import pytest
import tensorflow as tf

import tfgen
from tfgen.engine import strategies

TWO = {"cluster": {"worker": ["one:1", "two:2"]}, "task": {"type": "worker", "index": 1}}


@pytest.fixture(autouse=True)
def nowhere(monkeypatch):
    """Hides a cluster that the tests themselves may run in."""
    for name in [name for name in os.environ if name == "TF_CONFIG" or name.startswith("SLURM_")]:
        monkeypatch.delenv(name)


def slurm(monkeypatch, **variables):
    for name, value in variables.items():
        monkeypatch.setenv(f"SLURM_{name}", value)


def test_alone_there_is_no_cluster(monkeypatch):
    assert strategies.cluster() is None
    assert tfgen.strategy("auto") is tfgen.strategy("none") is tf.distribute.get_strategy()
    slurm(monkeypatch, STEP_NUM_TASKS="1", STEP_NODELIST="a", STEP_TASKS_PER_NODE="1", PROCID="0")
    assert strategies.cluster() is None
    monkeypatch.setenv("TF_CONFIG", "{}")
    assert strategies.cluster() is None


def test_one_device():
    strategy = tfgen.strategy("one")
    assert isinstance(strategy, tf.distribute.OneDeviceStrategy)
    assert strategy.num_replicas_in_sync == 1


def test_tf_config_is_read(monkeypatch):
    monkeypatch.setenv("TF_CONFIG", json.dumps(TWO))
    cluster = strategies.cluster()
    assert cluster.cluster_spec().as_dict() == TWO["cluster"]
    assert (cluster.task_type, cluster.task_id) == ("worker", 1)


def test_slurm_s_nodes_keep_their_order(monkeypatch):
    """Sorted by name, node10 would come before node2, and processes get each other's addresses."""
    nodes = {"STEP_NODELIST": "node[2,10],gpu-[01-02]", "STEP_TASKS_PER_NODE": "2,1(x3)"}
    slurm(monkeypatch, STEP_NUM_TASKS="5", PROCID="2", JOB_ID="1234", **nodes)
    cluster = strategies.cluster()
    workers = cluster.cluster_spec().as_dict()["worker"]
    hosts, ports = zip(*(address.split(":") for address in workers), strict=True)
    assert hosts == ("node2", "node2", "node10", "gpu-01", "gpu-02")
    assert int(ports[1]) == int(ports[0]) + 1 and ports[2:] == (ports[0],) * 3
    assert (cluster.task_type, cluster.task_id) == ("worker", 2)
    slurm(monkeypatch, JOB_ID="1235")
    assert strategies.cluster().cluster_spec().as_dict()["worker"][0] != workers[0]


@pytest.mark.parametrize(
    "text",
    [
        "nonsense",
        "[]",
        json.dumps({**TWO, "task": {"type": "worker", "index": 2}}),
        json.dumps({**TWO, "task": {"type": "chief", "index": 0}}),
        json.dumps({"cluster": TWO["cluster"]}),
    ],
)
def test_a_wrong_tf_config_is_refused(monkeypatch, text):
    monkeypatch.setenv("TF_CONFIG", text)
    with pytest.raises(ValueError, match="TF_CONFIG must be like .*Received: ") as raised:
        tfgen.strategy("auto")
    assert str(raised.value).endswith(f"{text}.")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": "miror"}, "There is no strategy 'miror'. Did you mean 'mirrored'"),
        ({"name": "multiworker"}, "There is no cluster.*training.launch --workers 2"),
        ({"name": "auto", "replicas": 2}, 'for the strategy "mirrored". Received: .auto., replica'),
    ],
)
def test_mistakes_are_told(arguments, message):
    with pytest.raises(ValueError, match=message):
        tfgen.strategy(**arguments)


def test_a_processor_that_was_used_cannot_be_divided():
    tf.zeros([])
    with pytest.raises(ValueError, match="into 7 devices any more. Ask for the strategy before"):
        tfgen.strategy("mirrored", replicas=7)


@pytest.mark.slow
def test_a_processor_can_be_divided():
    code = "import tfgen; print(tfgen.strategy('mirrored', 3).num_replicas_in_sync)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.stdout.strip() == "3", result.stderr


@pytest.mark.slow
def test_uneven_batches_are_refused_in_training():
    code = """
import numpy as np, tensorflow as tf, tfgen
strategy = tfgen.strategy("mirrored", 2)
from tests.specimens import SPECIMENS, images
with strategy.scope():
    model = SPECIMENS["mlp_vae"]()
    model.compile()
batches = tf.data.Dataset.from_tensor_slices(images(7)).batch(4)
model.evaluate(batches, verbose=0)
try:
    model.fit(batches, verbose=0)
except ValueError as error:
    print(error)
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "2 replicas cannot share a batch of 3 examples evenly." in result.stdout, result.stderr
