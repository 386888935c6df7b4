"""The server as users start it, while strangers ask for more than is good for others."""

import concurrent.futures
import contextlib
import pathlib
import re
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
LISTS = b'{"inputs": [' + b"[]," * (15 * MIB // 3) + b"[]]}"


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


def longest_wait(url, event):
    """Returns the seconds that the server took at most to say that it lives, until an event."""
    longest = 0
    with httpx2.Client(timeout=30) as client:
        while not event.is_set():
            start = time.monotonic()
            assert client.get(f"{url}/healthz").status_code == 200
            longest = max(longest, time.monotonic() - start)
            time.sleep(0.02)
    return longest


def test_short_lists_hold_up_nobody_for_a_second(server):
    process, url = server
    before, waits = memory(process, "VmRSS"), []
    for _ in range(3):  # other processes may take the processor meanwhile
        done = threading.Event()
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            wait = pool.submit(longest_wait, url, done)
            asked = [pool.submit(httpx2.post, url + PATH, content=LISTS, timeout=60) for _ in "ab"]
            answers = [each.result() for each in asked]
            done.set()
            waits.append(wait.result())
        for each in answers:
            assert each.status_code == 400 and "must be of shape" in each.json()["error"]
        if waits[-1] < 1:
            break
    assert min(waits) < 1
    assert memory(process, "VmHWM") - before < 40 * 15  # one at a time


def test_silent_connections_keep_nobody_out(server):
    _, url = server
    with contextlib.ExitStack() as stack:
        for _ in range(80):  # more than the server may open files
            with contextlib.suppress(OSError):
                stack.enter_context(connect(url))
        start = time.monotonic()
        assert httpx2.post(url + PATH, **ASKED).json() == {"outputs": [2.0]}
        assert time.monotonic() - start < 3


def test_unfinished_bodies_are_bounded_together(server):
    process, url = server
    before = memory(process, "VmRSS")
    head = f"POST {PATH} HTTP/1.1\r\nHost: a\r\nContent-Length: {16 * MIB}\r\n\r\n".encode()
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(connect(url)) for _ in range(12)]
        for client in clients:
            client.sendall(head)
        for client in clients:
            with contextlib.suppress(OSError):
                client.sendall(bytes(15 * MIB))
        assert httpx2.post(url + PATH, **ASKED).json() == {"outputs": [2.0]}
        assert memory(process, "VmRSS") - before < 150  # 64, and what is on its way; not 180
        refused = [client.recv(1000) for client in clients[5:]]
    assert all(b"429" in each and b"requests' bodies at once" in each for each in refused)
    for _ in range(100):
        if httpx2.post(url + PATH, content=LISTS, timeout=60).status_code == 400:
            break  # there is room again
        time.sleep(0.1)
    else:
        pytest.fail("what unfinished bodies held is not given back")
