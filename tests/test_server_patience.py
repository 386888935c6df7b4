"""A server whose calls take long: other models answer, and it ends when it is asked to."""

import contextlib
import functools
import signal
import subprocess
import sys
import threading
import time

import grpc
import httpx2
import pytest
import tensorflow as tf
from tensorflow_serving.apis import model_management_pb2, model_service_pb2_grpc

from tests.servables import half_plus, spec, write
from tests.test_server import started


def endless(x, steps=10**8):
    """Minutes of work in one call, which nothing can stop."""
    loop = tf.while_loop(
        lambda step, y: step < steps, lambda step, y: (step + 1, tf.sin(y) + 1.0), [0, x]
    )
    return {"y": loop[1]}


@pytest.mark.slow
def test_calls_that_take_long_stop_their_own_models_only_and_not_the_end(tmp_path):
    write(tmp_path, "half", 1, half_plus(1))
    names = [f"endless{index}" for index in range(4)]
    for name in names:
        write(tmp_path, name, 1, {"serving_default": (endless, [spec("x")])})
    with started(tmp_path) as (process, rest, _):

        def ask(name, timeout):
            begin = time.monotonic()
            body = {"inputs": [0.0]}
            answer = httpx2.post(f"{rest}/v1/models/{name}:predict", json=body, timeout=timeout)
            return answer, time.monotonic() - begin

        def ask_in_vain(name):
            with contextlib.suppress(httpx2.TransportError):  # the server has ended
                ask(name, timeout=25)

        assert ask("half", 10)[0].json() == {"outputs": [1.0]}
        waiting = [threading.Thread(target=ask_in_vain, args=(name,)) for name in names]
        for thread in waiting:
            thread.start()
        time.sleep(3)
        for _ in range(5):
            answer, seconds = ask("half", 10)
            assert answer.json() == {"outputs": [1.0]} and seconds < 1
        begin = time.monotonic()
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=30)
        assert time.monotonic() - begin < 10 and process.returncode == 0
        assert "What did not end within 9 seconds is given up." in errors
        for thread in waiting:
            thread.join(30)


@pytest.mark.slow
def test_who_has_gone_over_rest_waits_in_no_queue(tmp_path):
    """Two requests fill the queue while a call runs; their clients go, and a friend's has room."""
    seconds = functools.partial(endless, steps=2 * 10**6)
    write(tmp_path, "slow", 1, {"serving_default": (seconds, [spec("x")])})
    with started(tmp_path, "--max-queue-rows=8", "--max-request-rows=4") as (process, rest, _):
        url = f"{rest}/v1/models/slow:predict"

        def ask(rows, timeout):
            with contextlib.suppress(httpx2.TimeoutException):
                return httpx2.post(url, json={"inputs": rows * [0.0]}, timeout=timeout)

        busy = threading.Thread(target=ask, args=(1, 30))
        busy.start()
        time.sleep(0.5)
        gone = [threading.Thread(target=ask, args=(3, 0.5)) for _ in range(2)]
        for thread in gone:
            thread.start()
        for thread in gone:
            thread.join()
        time.sleep(1)
        assert ask(4, 30).status_code == 200
        busy.join()
        process.terminate()
        assert process.communicate()[1].count("Traceback") == 0


@pytest.mark.slow
def test_a_reload_that_its_client_has_given_up_ends(tmp_path):
    write(tmp_path, "half", 1, half_plus(1))
    for index in range(300):
        (tmp_path / f"m{index}").symlink_to(tmp_path / "half")
    (tmp_path / "models.config").write_text(
        'model_config_list { config { name: "half" base_path: "/models/half" } }'
    )
    request = model_management_pb2.ReloadConfigRequest()
    for index in range(300):
        request.config.model_config_list.config.add(name=f"m{index}", base_path=f"/m{index}")
    with (
        started(tmp_path, f"--config={tmp_path / 'models.config'}") as (process, rest, address),
        grpc.insecure_channel(address) as channel,
    ):
        stub = model_service_pb2_grpc.ModelServiceStub(channel)
        with pytest.raises(grpc.RpcError, match="DEADLINE_EXCEEDED"):
            stub.HandleReloadConfigRequest(request, timeout=0.5)
        assert httpx2.get(f"{rest}/healthz").json() == {"models": ["half"]}
        del request.config.model_config_list.config[1:]
        begin = time.monotonic()
        stub.HandleReloadConfigRequest(request, timeout=10)  # it does not wait for the first
        assert time.monotonic() - begin < 2
        assert httpx2.get(f"{rest}/healthz").json() == {"models": ["m0"]}
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=10)
        assert process.returncode == 0


@pytest.mark.parametrize("seconds", [0.4, 1.0, 2.0])
def test_ctrl_c_while_the_server_starts_is_one_line(tmp_path, seconds):
    write(tmp_path, "half", 1, half_plus(1))
    command = [sys.executable, "-m", "tfgen", "serve", str(tmp_path), "--rest-port=0"]
    process = subprocess.Popen(
        [*command, "--grpc-port=0"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    time.sleep(seconds)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert errors == "tfgen: interrupted.\n"
    # Python 3.11 ends by the signal itself if Ctrl-C came within a call of `eval`, as imports make
    # them, though it was handled. A shell says 130 of both.
    assert process.returncode in (130, -signal.SIGINT)


IMPORT = """
import signal, sys
from tfgen.__main__ import main

class Import:
    def find_spec(self, name, path=None, target=None):
        if name == "tensorflow.python":
            try:
                signal.raise_signal(signal.SIGINT)
            except KeyboardInterrupt:
                raise ImportError("something is not installed rightly")

sys.meta_path.insert(0, Import())
main(["serve", "nothing"])
"""


@pytest.mark.slow
def test_ctrl_c_that_an_import_takes_for_its_own_failure_is_one_line():
    command = [sys.executable, "-c", IMPORT]
    found = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (found.returncode, found.stderr) == (130, "tfgen: interrupted.\n")
