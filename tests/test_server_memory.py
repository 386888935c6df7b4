"""The memory that a server takes beside its models, as `docs/guides/serving.md` promises it."""

import threading
import time

import httpx2
import numpy as np
import psutil
import pytest
import tensorflow as tf

from tests.servables import spec, write
from tests.test_server import started
from tfgen.serving.client import GrpcClient, ServedError

NUMBERS = 784  # of an example, in and out
PROMISE = 1024  # MiB beside the models, for the clients below
CLIENTS = 8  # that send as many examples as they may, and as many that count them
SECONDS = 12


def draw(count, seed):
    return {"y": tf.random.stateless_uniform([count, NUMBERS], tf.stack([seed, seed]))}


@pytest.mark.slow
def test_the_largest_requests_of_many_clients_take_a_bounded_memory(tmp_path):
    signatures = {
        "serving_default": (lambda x: {"y": tf.sigmoid(x)}, [spec("x", shape=(None, NUMBERS))]),
        "sample": (draw, [spec("count", tf.int32, ()), spec("seed", tf.int64, ())]),
    }
    write(tmp_path, "small", 1, signatures)
    examples = np.full([4096, NUMBERS], 0.5, np.float32)
    requests = [
        ("serving_default", {"x": examples}),
        ("sample", {"count": np.int32(4096), "seed": np.int64(7)}),
    ]
    with started(tmp_path) as (process, rest, address):
        GrpcClient(address).predict("small", x=examples[:64])
        server = psutil.Process(process.pid)
        before, end, answered = server.memory_info().rss, time.monotonic() + SECONDS, []

        def ask(name, inputs):
            client = GrpcClient(address, retries=0)
            while time.monotonic() < end:
                try:
                    answered.append(len(client.predict("small", name, **inputs)["y"]))
                except ServedError as error:
                    assert "RESOURCE_EXHAUSTED" in str(error), error

        threads = [threading.Thread(target=ask, args=request) for request in requests * CLIENTS]
        for thread in threads:
            thread.start()
        most = 0
        while time.monotonic() < end:
            most = max(most, server.memory_info().rss)
            time.sleep(0.02)
        for thread in threads:
            thread.join(30)
        assert answered and set(answered) == {4096}
        assert (most - before) / 2**20 < PROMISE
        assert httpx2.get(f"{rest}/healthz").json() == {"models": ["small"]}
        print(f"{(most - before) / 2**20:.0f} MiB beside the models, {len(answered)} answers")
