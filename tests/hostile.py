"""Requests that no server should answer, as many as one likes: `python -m tests.hostile`.

    $ python -m tests.hostile --requests 12000

Starts the server on an export, asks, and fails unless each is refused, in time: over REST by a
status from 400 to 499 and an error in JSON, over gRPC by one of its codes for requests that are
wrong. Half of them go to a server that wants a token, without it. Other clients meanwhile begin
requests and do not go on. In the end each server must be alive, answer as before, and have at most
100 MB more of memory than at first. Asked whether it lives, it must have said so within a second.
"""

import argparse
import base64
import collections
import json
import pathlib
import tempfile
import time
import warnings

import grpc
import httpx2
import tensorflow as tf
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests import hostile_grpc, hostile_http
from tests.loiterers import Loiterers
from tests.png_files import UNPACKED, chunk, png
from tests.specimens import compiled
from tests.test_server import started
from tests.watch import Watch
from tfgen import export

SECONDS = 10  # more than a refusal may take
MEGABYTES = 100  # that may stay
MODEL = "/v1/models/vae"
SIZE = 3  # of the model's latents
NUMBERS = st.floats() | st.integers()
_LARGEST = png(4096, 4096)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=20,
)


def request(signature, **form):
    return f"{MODEL}:predict", json.dumps({"signature_name": signature, **form})


def latents(rows):
    return request("serving_default", inputs={"latents": rows})


def files(*contents):
    """Asks with PNG files, or what is said to be such."""
    return request("encode_png", inputs={"images_bytes": [{"b64": _base64(c)} for c in contents]})


def jpeg(side):
    return tf.io.encode_jpeg(tf.zeros([side, side, 3], tf.uint8)).numpy()


def with_texts(kind, count):
    return png(400, 400, count * chunk(kind, UNPACKED[kind]))


def is_wrong(value):
    """Tells whether JSON is not by chance what the model takes."""
    return not _is_right(value)


def _is_right(value):
    """Tells whether JSON is latents, as columns or as rows."""
    if isinstance(value, dict):
        return _is_right(value.get("latents"))
    rows = value if isinstance(value, list) else []
    rows = [row.get("latents") if isinstance(row, dict) else row for row in rows]
    return bool(rows) and all(
        isinstance(row, list)
        and len(row) == SIZE
        and all(type(number) in (int, float) for number in row)
        for row in rows
    )


def not_a_number(row):
    return any(value != value or abs(value) > 3.5e38 for value in row)


BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
PLAIN = st.lists(st.floats(-1, 1), min_size=SIZE, max_size=SIZE)
KINDS = {
    "bytes": st.binary(max_size=200).map(lambda body: (f"{MODEL}:predict", b"\0" + body)),
    "any JSON": JSON.map(lambda value: (f"{MODEL}:predict", json.dumps(value))),
    "a part of JSON": st.integers(1, 60).map(
        lambda end: (f"{MODEL}:predict", latents([[0.0] * SIZE])[1][:end])
    ),
    "any inputs": JSON.filter(is_wrong).map(lambda value: request("serving_default", inputs=value)),
    "any instances": JSON.filter(is_wrong).map(
        lambda value: request("serving_default", instances=value)
    ),
    "any latents": JSON.filter(is_wrong).map(latents),
    "any count": JSON.filter(lambda value: type(value) is not int or not 1 <= value <= 4096).map(
        lambda value: request("sample", inputs={"count": value, "seed": 0})
    ),
    "any seed": JSON.filter(lambda value: type(value) is not int or abs(value) >= 2**63).map(
        lambda value: request("sample", inputs={"count": 1, "seed": value})
    ),
    "other signature": st.text(max_size=30)
    .filter(lambda name: name not in ("", "serving_default"))
    .map(lambda name: request(name, inputs={"latents": [[0.0] * SIZE]})),
    "not finite": st.lists(st.floats(allow_nan=True), min_size=SIZE, max_size=SIZE)
    .filter(not_a_number)
    .map(lambda row: latents([row])),
    "other shape": st.integers(0, 20)
    .filter(lambda size: size != SIZE)
    .map(lambda size: latents([[0.0] * size])),
    "ragged": st.tuples(PLAIN, PLAIN, st.integers(0, SIZE - 1)).map(
        lambda parts: latents([parts[0], parts[1][: parts[2]]])
    ),
    "too many rows": st.integers(4097, 5000).map(lambda count: latents([[0.0] * SIZE] * count)),
    "deep": st.integers(33, 20_000).map(
        lambda depth: (f"{MODEL}:predict", '{"inputs": ' + "[" * depth + "]" * depth + "}")
    ),
    "deep and open": st.integers(1, 50_000).map(
        lambda depth: (f"{MODEL}:predict", '{"a":' * depth)
    ),
    "long numbers": st.integers(400, 10_000).map(
        lambda digits: (f"{MODEL}:predict", f'{{"inputs": [[{"9" * digits}]]}}')
    ),
    "broken base64": st.text(alphabet=BASE64 + "=-_! \n", max_size=40).map(
        lambda text: request("encode_png", inputs={"images_bytes": [{"b64": text}]})
    ),
    "bombs": st.integers(4097, 2**32 - 1).map(lambda side: files(png(side, side, pixels=b""))),
    "many pixels": st.integers(2, 300).map(lambda count: files(*count * [_LARGEST])),
    "JPEG": st.integers(1, 500).map(lambda side: files(jpeg(side))),
    "packed texts": st.tuples(st.sampled_from(list(UNPACKED)), st.integers(9, 100)).map(
        lambda parts: files(with_texts(*parts))
    ),
    "paths": st.lists(
        st.sampled_from(
            [
                "..",
                "%2e%2e",
                "%00",
                "v1",
                "models",
                "vae",
                "versions",
                "1",
                "labels",
                "metadata",
                "vae:predict",
                "%c3%28",
                "etc",
                "passwd",
                "",
                "-1",
                "9" * 30,
            ]
        ),
        min_size=1,
        max_size=6,
    )
    .map(lambda parts: "/v1/models/../" + "/".join(parts))
    # The client resolves dots, and so may ask as it should.
    .filter(lambda path: httpx2.URL(f"http://localhost{path}").path != f"{MODEL}:predict")
    .map(lambda path: (path, json.dumps({"inputs": [[0.0] * SIZE]}))),
    "other versions": st.integers(2, 10**40).map(
        lambda number: (f"{MODEL}/versions/{number}:predict", '{"inputs": [[0, 0, 0]]}')
    ),
}


def _base64(content):
    return base64.b64encode(content).decode()


def ask_all(url, grpc_address, each, token=None):
    """Asks so many requests of each kind.

    Args:
        url: the server's address for REST.
        grpc_address: that for gRPC.
        each: how many requests.
        token: the one that the server wants, if it wants one: it is asked without.

    Returns:
        A dict from a kind to a `Counter` of the statuses by which its requests were refused.
    """
    statuses = collections.defaultdict(collections.Counter)
    with httpx2.Client(base_url=url, timeout=SECONDS) as client:
        for kind, strategy in KINDS.items():
            found = statuses[f"REST: {kind}"]
            ask_kind(strategy, each, found, lambda parts: ask(client, parts))
        check_that_it_lives(client, token)
    address = url.removeprefix("http://")
    for kind, strategy in hostile_http.KINDS.items():
        found = statuses[f"HTTP: {kind}"]
        ask_kind(strategy, each, found, lambda parts: hostile_http.ask(address, parts, SECONDS))
    with grpc.insecure_channel(grpc_address) as channel:
        refusals = hostile_grpc.REFUSALS if token is None else {"UNAUTHENTICATED"}
        for kind, strategy in hostile_grpc.KINDS.items():
            found = statuses[f"gRPC: {kind}"]
            ask_kind(
                strategy,
                each,
                found,
                lambda parts: hostile_grpc.ask(channel, parts, SECONDS, refusals),
            )
        hostile_grpc.check_that_it_lives(channel, SECONDS, token)
    return statuses


def check_that_it_lives(client, token):
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    answer = client.post(f"{MODEL}:predict", json={"inputs": [[0.0] * SIZE]}, headers=headers)
    assert answer.status_code == 200, answer.text


def ask(client, parts):
    """Asks, and returns the status by which it was refused."""
    path, body = parts
    response = client.post(path, content=body)
    assert 400 <= response.status_code < 500, (path, body[:500], response.text)
    assert response.json().keys() == {"error"}, (path, body[:500], response.text)
    return response.status_code


def ask_kind(strategy, count, statuses, ask):
    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def ask_one(parts):
        statuses[ask(parts)] += 1

    ask_one()


def ask_server(folder, each, token=None):
    """Starts a server, asks it so many requests of each kind, and prints what became of them.

    Args:
        folder: of models, with room for the token's file beside it.
        each: how many requests.
        token: the one that the server wants, which the requests are sent without; or `None`.

    Returns:
        How many requests were refused.
    """
    options = []
    if token is not None:
        (folder.parent / "token").write_text(token)
        options = [f"--token-file={folder.parent / 'token'}"]
    start = time.monotonic()
    with started(folder, *options) as (process, url, grpc_address):
        address = url.removeprefix("http://")
        ask_all(url, grpc_address, 10, token)  # it has seen each kind, and found memory for it
        with Watch(process.pid, url) as watch, Loiterers(address, grpc_address, 8) as loiterers:
            statuses = ask_all(url, grpc_address, each, token)
    for kind, counts in statuses.items():
        print(f"{kind:25}" + "  ".join(f"{status}: {n}" for status, n in counts.most_common()))
    total = sum(counts.total() for counts in statuses.values())
    print(f"{total} requests refused in {time.monotonic() - start:.0f} s; none answered otherwise.")
    print(f"{loiterers.begun} connections did not go on.\n{watch}.", flush=True)
    assert watch.slowest < 1, "/healthz was late"
    assert watch.after - watch.before < MEGABYTES, "memory stays"
    return total


def main():
    parser = argparse.ArgumentParser(prog="python -m tests.hostile", description=__doc__)
    parser.add_argument("--requests", type=int, default=12_000)
    options = parser.parse_args()
    kinds = len(KINDS) + len(hostile_http.KINDS) + len(hostile_grpc.KINDS)
    each = -(-options.requests // (2 * kinds))
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as folder:
        models = pathlib.Path(folder, "models")
        export(compiled("conv_vae"), models / "vae", png=True)
        print("Without a token:")
        total = ask_server(models, each)
        print("\nWith a token, asked without:")
        total += ask_server(models, each, token="secret")
    print(f"\n{total} requests of {kinds} kinds, half of them without the token that was wanted.")


if __name__ == "__main__":
    main()
