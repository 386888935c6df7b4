"""The server as users start it, while strangers ask for more than is good for others."""

import concurrent.futures
import contextlib
import os
import pathlib
import re
import select
import socket
import threading
import time

import httpx2
import pytest

from tests.servables import half_plus, write
from tests.test_server import started

MIB = 2**20
PATH = "/v1/models/half:predict"
ASKED = {"json": {"inputs": [2]}}
# As many lists as are allowed, and more than that.
LISTS = b'{"inputs": [' + b"[1.5,2.25,3.25]," * (15 * MIB // 16) + b"[]]}"
MANY_LISTS = b'{"inputs": [' + b"[]," * (15 * MIB // 3) + b"[]]}"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    resource = pytest.importorskip("resource")
    folder = tmp_path_factory.mktemp("models")
    write(folder, "half", 1, half_plus(1))
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, hard))  # which the server inherits
    try:
        context = started(folder)
        process, url, _ = context.__enter__()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    yield process, url
    context.__exit__(None, None, None)


def memory(process, kind):
    """Returns MiB that a process has (VmRSS), or had at most (VmHWM)."""
    status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
    return int(re.search(rf"{kind}:\s+(\d+) kB", status)[1]) / 1024


def connect(url):
    host, port = url.removeprefix("http://").split(":")
    return socket.create_connection((host, int(port)), timeout=10)


def seconds_worked(process):
    """Returns the processor's time that a process had: other processes do not change it."""
    times = pathlib.Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(times[11]) + int(times[12])) / os.sysconf("SC_CLK_TCK")


def most_work(process, url, event):
    """Returns the work that the server did at most before it said that it lives, until an event."""
    most = 0
    with httpx2.Client(timeout=60) as client:
        while not event.is_set():
            start = seconds_worked(process)
            assert client.get(f"{url}/healthz").status_code == 200
            most = max(most, seconds_worked(process) - start)
            time.sleep(0.02)
    return most


@pytest.mark.parametrize(
    ("body", "message"), [(LISTS, "must be of shape"), (MANY_LISTS, "1200000 lists and objects")]
)
def test_short_lists_hold_up_nobody_for_a_second(server, body, message):
    process, url = server
    before, done = memory(process, "VmRSS"), threading.Event()
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        work = pool.submit(most_work, process, url, done)
        asked = [pool.submit(httpx2.post, url + PATH, content=body, timeout=60) for _ in "abc"]
        answers = [each.result() for each in asked]
        done.set()
    for each in answers:
        assert each.status_code == 400 and message in each.json()["error"]
    assert work.result() < 1
    assert memory(process, "VmHWM") - before < 350  # one at a time


def test_silent_connections_keep_nobody_out(server):
    _, url = server
    with contextlib.ExitStack() as stack:
        for _ in range(80):  # more than the server may open files
            with contextlib.suppress(OSError):
                stack.enter_context(connect(url))
        start = time.monotonic()
        assert httpx2.post(url + PATH, **ASKED).json() == {"outputs": [2.0]}
        assert time.monotonic() - start < 3


@pytest.mark.slow
def test_unfinished_bodies_are_bounded_together(server):
    process, url = server
    before = memory(process, "VmRSS")
    head = f"POST {PATH} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {16 * MIB}\r\n\r\n".encode()
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(connect(url)) for _ in range(12)]
        for client in clients:
            client.sendall(head)
        for client in clients:
            with contextlib.suppress(OSError):
                client.sendall(bytes(15 * MIB))
        assert httpx2.post(url + PATH, **ASKED).json() == {"outputs": [2.0]}
        assert memory(process, "VmRSS") - before < 150  # 64, and what is on its way; not 180
        refused = set()
        while len(refused) < 8:
            refused |= set(select.select(clients, [], [], 30)[0])
        for client in refused:
            assert re.search(rb" 429 .*requests' bodies at once", client.recv(1000), re.DOTALL)
    for _ in range(100):
        if httpx2.post(url + PATH, content=LISTS, timeout=60).status_code == 400:
            break  # there is room again
        time.sleep(0.1)
    else:
        pytest.fail("what unfinished bodies held is not given back")
