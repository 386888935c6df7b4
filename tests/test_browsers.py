"""A server without a token answers its own pages, and programs, but no pages of strangers."""

import httpx2
import pytest
import starlette.responses
from starlette.testclient import TestClient

from tests.servables import half_plus, write
from tests.test_server import started
from tfgen import __main__ as command
from tfgen.serving.browsers import OwnPagesOnly
from tfgen.serving.page import Page

BODY = b'{"instances": [1.0]}'


def ask(host="127.0.0.1", allowed=(), **headers):
    """Returns the answer of a server that listens at a host, over this application alone."""
    app = OwnPagesOnly(starlette.responses.PlainTextResponse("answered"), host, allowed)
    return TestClient(app, base_url="http://localhost:8501").post("/", headers=headers)


@pytest.mark.parametrize(
    "host",
    [
        "localhost:8501",
        "LOCALHOST",
        "localhost.:8501",
        "127.0.0.1:8501",
        "127.1.2.3",
        "[::1]:8501",
        "192.168.0.7:80",
    ],
)
def test_names_of_this_machine_and_addresses_are_answered(host):
    assert ask(host=host.partition(":")[0], Host=host).text == "answered"
    assert ask(Host=host, Origin=f"http://{host}").text == "answered"


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:8501", "[::1", "@"]
)
def test_a_name_that_came_to_mean_this_address_is_refused(host):
    for listens in ("127.0.0.1", "0.0.0.0"):
        answer = ask(host=listens, Host=host, Origin=f"http://{host}")
        assert answer.status_code == 403
        assert "does not answer for the host" in answer.json()["error"]
        assert "--allowed-hosts" in answer.json()["error"]


@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", "null", "http://localhost:3000", "http://localhost", "http://[", ""],
)
def test_pages_of_another_origin_are_refused(origin):
    answer = ask(Host="localhost:8501", Origin=origin)
    assert answer.status_code == 403
    assert "does not answer pages from" in answer.json()["error"]


def test_programs_send_no_origin_and_are_answered():
    assert ask(Host="localhost:8501").text == "answered"


def test_a_name_that_is_allowed_is_answered_and_so_are_its_pages():
    allowed = ("models.example",)
    assert ask(allowed=allowed, Host="Models.example").text == "answered"
    assert ask(allowed=allowed, Host="localhost", Origin="https://models.example").text
    assert ask(allowed=allowed, Host="models.example.evil").status_code == 403
    assert ask("gpu-box", Host="gpu-box:8501").text == "answered"  # what it listens at


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    write(folder, "half", 1, half_plus(2.0))
    return folder


def predict(rest, **headers):
    """Returns the status of a request for an answer of a model."""
    headers = {"Content-Type": "text/plain", **headers}
    return httpx2.post(f"{rest}/v1/models/half:predict", content=BODY, headers=headers).status_code


@pytest.mark.slow
def test_rebinding_and_blind_posts_do_nothing(folder):
    with started(folder, "--allowed-hosts=models.example") as (_, rest, _):
        assert predict(rest) == predict(rest, Origin=rest) == 200
        assert predict(rest, Host="models.example") == 200
        assert predict(rest, Origin="https://evil.example") == 403
        assert predict(rest, Host="evil.example", Origin="http://evil.example") == 403
        for path in ("/", "/healthz", "/v1/models/half", "/monitoring/prometheus/metrics"):
            answer = httpx2.get(f"{rest}{path}", headers={"Host": "evil.example"})
            assert answer.status_code == 403 and "half" not in answer.text


@pytest.mark.slow
def test_with_a_token_the_token_decides(folder, tmp_path):
    (tmp_path / "token").write_text("secret")
    with started(folder, f"--token-file={tmp_path / 'token'}") as (_, rest, _):
        elsewhere = {"Host": "any.example", "Origin": "http://any.example"}
        assert predict(rest, **elsewhere) == 401
        assert predict(rest, **elsewhere, Authorization="Bearer secret") == 200


@pytest.mark.parametrize("path", ["/", "/explorer.js", "/nothing"])
def test_the_page_says_what_browsers_may_do_with_it(path):
    headers = TestClient(Page()).get(path).headers
    policy = dict(each.split(" ", 1) for each in headers["content-security-policy"].split("; "))
    for name in ("default-src", "base-uri", "form-action", "frame-ancestors"):
        assert policy[name] == "'none'"
    assert policy["script-src"] == "'self'"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-frame-options"] == "DENY"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert "camera=()" in headers["permissions-policy"]


@pytest.mark.parametrize("names", ["", "https://models.example", "a,,b", "a b", "*"])
def test_names_that_are_no_names_are_refused(names, capsys):
    with pytest.raises(SystemExit):
        command.parse(["serve", f"--allowed-hosts={names}"])
    assert "invalid list of host names value" in capsys.readouterr().err


def test_names_have_commas_between():
    assert command.parse(["serve", "--allowed-hosts=a, b.c"]).allowed_hosts == ("a", "b.c")
