"""What loads amount to, and the load itself, against servers that only pretend."""

import concurrent.futures
import contextlib
import http.server
import importlib.util
import json
import subprocess
import sys
import threading

import grpc
import pytest

from training.benchmarks import serving as benchmark_serving
from training.benchmarks.client_figures import figures, growth, times_as_many
from training.tables import serving as tables_of_serving


def test_figures_of_times():
    found = figures(list(range(101)), failures=1, seconds=2.0)
    assert found == {
        "requests": 101,
        "failures": 1,
        "rate": 50.0,
        "p50": 50.0,
        "p95": 95.0,
        "p99": 99.0,
    }
    with pytest.raises(ValueError, match="At least 2 requests must be answered. Received: 1"):
        figures([1.0], failures=0, seconds=1.0)


def test_memory_that_grows_only_at_first_is_flat():
    seconds = [5.0 * index for index in range(121)]
    found = growth(seconds, [min(100.0 + second, 160.0) for second in seconds])
    assert found["first_minute"] == 130 and found["last_minute"] == 160
    assert found["slope"] == pytest.approx(0)
    found = growth(seconds, [100.0 + second / 10 for second in seconds])
    assert found["slope"] == pytest.approx(6)  # MB per minute
    assert (found["first_minute"], found["last_minute"]) == pytest.approx((103, 157))


def test_ratios_are_within_a_turn_at_most_clients():
    assert times_as_many([6, 8], [2, 4]) == [3, 2]
    loads = {
        (server, protocol, clients): [{"rate": rate * clients}, {"rate": rate}]
        for server, rate in (("batched", 6), ("unbatched", 2))
        for protocol in ("rest", "grpc")
        for clients in (1, 64)
    }
    loads["unbatched", "rest", 64][1] = {"rate": 4}
    assert benchmark_serving.ratios(loads) == {"rest": [3, 1.5], "grpc": [3, 3]}


def test_the_table_has_medians_of_turns():
    turn = {key: 1.0 for key in ("p50", "p95", "p99", "server_cores", "load_cores")}
    result = {
        "serving": [
            {
                "server": "batched",
                "protocol": "grpc",
                "clients": 64,
                "turns": [{**turn, "rate": rate} for rate in (1, 700, 800)],
            }
        ],
        "loop": {"1": [800, 900, 1000], "64": [4000]},
        "ratios": {"grpc": [2, 3.5, 4]},
        "costs": {"an answer of JSON": 0.041},
        "memory": {
            **dict(requests=9, failures=0, first_minute=700, last_minute=701, slope=0.25),
        },
        "versions": {"swaps": 12, "requests": 5, "failures": 0, "megabytes_per_swap": 1.5},
        "settings": {"seconds": 5, "turns": 3, "minutes": 10},
        "locust": "2.47.0",
        "machine": {"cores": 2, "processor": "P"},
    }
    text = tables_of_serving.serving("file.json", result)
    assert "| batched | grpc | 64 | 700 | 1.0 | 1.0 | 1.0 | 1.00 | 1.00 |" in text
    assert "900 with 1 in a call, 4000 with 64 in a call" in text
    assert "3.5 over grpc (2.0 to 4.0)" in text and "an answer of JSON 0.041" in text
    assert "700 MB in the first minute,\n701 MB in the last; +0.25 MB" in text
    assert "--seconds 5 --turns 3 --minutes 10 \\\n    --output training/results/file.json" in text


class Sometimes(http.server.BaseHTTPRequestHandler):
    """Answers a body with it, and every fourth request with an error."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    count = 0

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        type(self).count += 1
        self.send_response(503 if self.count % 4 == 0 or body != b"row" else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *arguments):
        pass


class SometimesGrpc(grpc.GenericRpcHandler):
    count = 0

    def service(self, details):
        return grpc.unary_unary_rpc_method_handler(self.answer)

    def answer(self, request, context):
        self.count += 1
        if self.count % 4 == 0 or request != b"row":
            context.abort(grpc.StatusCode.UNAVAILABLE, "sometimes")
        return b"image"


@contextlib.contextmanager
def rest_server():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Sometimes) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/v1/models/m:predict"
        server.shutdown()


@contextlib.contextmanager
def grpc_server():
    server = grpc.server(concurrent.futures.ThreadPoolExecutor(2))
    server.add_generic_rpc_handlers((SometimesGrpc(),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield f"127.0.0.1:{port}"
    server.stop(0).wait()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("protocol", "server", "error"),
    [("rest", rest_server, "503"), ("grpc", grpc_server, "UNAVAILABLE")],
)
def test_a_load_counts_answers_and_failures(protocol, server, error, tmp_path):
    request = tmp_path / "request"
    request.write_bytes(b"row")
    with server() as target:
        command = [sys.executable, "-m", "training.clients", protocol, target, str(request)]
        found = subprocess.run(
            [*command, "--clients=3", "--seconds=0.5"], capture_output=True, text=True
        )
    assert not found.returncode, found.stderr
    found = json.loads(found.stdout)
    assert found["requests"] > 10
    assert found["failures"] == pytest.approx(found["requests"] / 4, abs=2)
    assert found["rate"] == pytest.approx(2 * 3 / 4 * found["requests"], rel=0.3)
    assert 0 < found["p50"] <= found["p95"] <= found["p99"]
    assert error in found["first_error"] and found["load_cores"] > 0


@pytest.mark.parametrize("option", ["--seconds=0", "--turns=-1", "--minutes=x"])
def test_what_cannot_be_measured_is_refused(option, capsys):
    with pytest.raises(SystemExit):
        benchmark_serving.parse([option])
    assert "expected a positive integer" in capsys.readouterr().err


def test_locust_is_missed_before_anything_is_done(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(SystemExit, match=r"pip install 'tfgen\[bench\]'"):
        benchmark_serving.main([])
