"""Release files by their addresses: fetched once from a server on this machine, and checked."""

import concurrent.futures
import hashlib
import http.server
import shutil
import threading

import numpy as np
import pytest

import tfgen
from tests.releases import write_release
from tfgen import __main__ as command
from tfgen.serving import download
from tfgen.serving.locate import find_release
from tfgen.serving.release import digest_of

MOVED = {"/moved": "/whole", "/moved/away": "http://models.invalid/tiny.tfgen"}


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers as the path says."""

    def do_GET(self):
        self.server.asked.append(self.path)
        content = self.server.content
        if self.path in MOVED:
            self.send_response(302)
            self.send_header("Location", MOVED[self.path])
            self.end_headers()
            return
        if self.path == "/missing":
            self.send_error(404)
            return
        self.send_response(200)
        if self.path != "/cut/without/length":
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[:1000] if self.path.startswith("/cut") else content)

    def log_message(self, *args):
        pass


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    return write_release(tmp_path_factory.mktemp("packed") / "tiny.tfgen")


@pytest.fixture
def server(packed):
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.content, server.asked = packed[0].read_bytes(), []
        server.url = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("TFGEN_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "releases"


@pytest.fixture
def checksum(packed):
    return f"#sha256={digest_of(packed[0])}"


def is_empty(cache):
    return not [path for path in cache.iterdir() if path.is_dir()]


@pytest.mark.parametrize("path", ["/whole", "/moved"])
def test_an_address_is_fetched_once(path, server, packed, checksum):
    address = f"{server.url}{path}{checksum}"
    samples = tfgen.load(address).sample(3, seed=0)
    np.testing.assert_array_equal(samples, packed[1].sample(3, seed=0))
    asked = list(server.asked)
    assert asked[-1] == "/whole"
    server.shutdown()
    server.server_close()
    assert tfgen.load(address.replace(checksum, checksum.upper().replace("SHA", "sha")))
    assert server.asked == asked


def test_two_that_ask_at_once_fetch_it_once(server, checksum):
    address = f"{server.url}/whole{checksum}"
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        found = list(pool.map(find_release, [address] * 4))
    assert server.asked == ["/whole"] and len(set(map(str, found))) == 1


def test_a_file_s_address_is_taken_too(packed, checksum, tmp_path):
    moved = shutil.copy(packed[0], tmp_path / "moved.tfgen")
    assert tfgen.load(f"file://{moved}{checksum}")
    moved.unlink()
    assert tfgen.load(f"file://{moved}{checksum}")
    with pytest.raises(ConnectionError, match="cannot be fetched: .*No such file"):
        tfgen.load(f"file://{moved}#sha256={'0' * 64}")


@pytest.mark.parametrize(
    ("path", "error", "message"),
    [
        ("/missing", ConnectionError, "/missing cannot be fetched: HTTP Error 404: Not Found"),
        ("/cut", ConnectionError, "/cut ended after 1,000 of .* bytes. Try again"),
        ("/cut/without/length", ValueError, "is not the file that was meant"),
    ],
)
def test_what_is_not_fetched_whole_is_refused(path, error, message, server, checksum, cache):
    with pytest.raises(error, match=message):
        tfgen.load(f"{server.url}{path}{checksum}")
    assert is_empty(cache)
    assert tfgen.load(f"{server.url}/whole{checksum}")  # then as if nothing had been


def test_another_file_than_was_meant_is_refused(server, checksum, cache):
    with pytest.raises(ValueError, match=f"its SHA-256 is {checksum[8:]}. Expected: {'0' * 64}"):
        tfgen.load(f"{server.url}/whole#sha256={'0' * 64}")
    assert is_empty(cache)


def test_what_is_right_and_no_release_is_refused(server, cache):
    server.content = b"not a release"
    digest = hashlib.sha256(server.content).hexdigest()
    with pytest.raises(ValueError, match="/whole is damaged, or no release file"):
        tfgen.load(f"{server.url}/whole#sha256={digest}")
    assert is_empty(cache)


@pytest.mark.parametrize(("limit", "value"), [("MOST_BYTES", 1000), ("_MOST_SECONDS", -1.0)])
def test_a_download_is_bounded(limit, value, server, checksum, cache, monkeypatch):
    monkeypatch.setattr(download, limit, value)
    with pytest.raises(ValueError, match="is too large or too slow"):
        tfgen.load(f"{server.url}/whole{checksum}")
    assert is_empty(cache)


def test_a_silent_server_is_not_waited_for_long(server, checksum, monkeypatch):
    monkeypatch.setattr(download, "_SECONDS_OF_SILENCE", 0.2)
    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as silent:  # listens, answers nobody
        with pytest.raises(ConnectionError, match="cannot be fetched: .*timed out"):
            tfgen.load(f"http://127.0.0.1:{silent.server_port}/whole{checksum}")


def test_an_address_without_a_checksum_is_refused(server, cache):
    for tail in ("", "#sha256=", "#sha256=123", f"#md5={'0' * 64}", f"#sha256={'g' * 64}"):
        with pytest.raises(ValueError, match=r"/whole#sha256=HEX, with the 64 digits"):
            tfgen.load(f"{server.url}/whole{tail}")
    assert server.asked == [] and not cache.exists()


def test_an_address_that_is_not_encrypted_is_refused_before_it_is_asked(checksum, cache):
    with pytest.raises(ValueError, match="/tiny.tfgen.* is not encrypted: .*Use https: instead"):
        tfgen.load(f"http://models.invalid/tiny.tfgen{checksum}")
    assert not cache.exists()


def test_a_redirect_to_what_is_not_encrypted_is_not_followed(server, checksum, cache):
    with pytest.raises(ValueError, match="http://models.invalid/tiny.tfgen is not encrypted"):
        tfgen.load(f"{server.url}/moved/away{checksum}")
    assert is_empty(cache)


def test_other_schemes_are_refused(checksum):
    with pytest.raises(ValueError, match="must begin with https: or file:."):
        tfgen.load(f"ftp://127.0.0.1/tiny.tfgen{checksum}")


@pytest.mark.slow
def test_commands_take_an_address(server, checksum, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    address = f"{server.url}/whole{checksum}"
    command.main(["verify", address])
    assert "every signature answers as" in capsys.readouterr().out
    command.main(["export", address, "again/tiny"])
    command.main(["convert", address, "--to=litert", "--signature=encode"])
    assert server.asked == ["/whole"]
    with pytest.raises(
        SystemExit, match="^tfgen: The address .* must end with the file's checksum"
    ):
        command.main(["verify", f"{server.url}/whole"])
