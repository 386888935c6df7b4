"""Requests that no server should answer, as many as one likes: `python -m tests.hostile`.

    $ python -m tests.hostile --requests 12000

Starts the server on an export, asks, and fails unless each is refused, in time: over REST by a
status from 400 to 499 and an error in JSON, over gRPC by one of its codes for requests that are
wrong. At the end the server must be alive and answer as before.
"""

import argparse
import base64
import collections
import json
import pathlib
import struct
import tempfile
import time
import warnings

import grpc
import httpx2
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests import hostile_grpc

SECONDS = 10  # more than a refusal may take
MODEL = "/v1/models/vae"
SIZE = 3  # of the model's latents
NUMBERS = st.floats() | st.integers()
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=20,
)


def header(side):
    """The beginning of a PNG file that claims to be an image of so many pixels a side."""
    return b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)


def request(signature, **form):
    return f"{MODEL}:predict", json.dumps({"signature_name": signature, **form})


def latents(rows):
    return request("serving_default", inputs={"latents": rows})


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
    "any inputs": JSON.map(lambda value: request("serving_default", inputs=value)),
    "any instances": JSON.map(lambda value: request("serving_default", instances=value)),
    "any latents": JSON.map(latents),
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
    "bombs": st.integers(4097, 2**32 - 1).map(
        lambda side: request(
            "encode_png", inputs={"images_bytes": [{"b64": _base64(header(side) + b"\0" * 20)}]}
        )
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


def ask_all(url, grpc_address, count):
    """Asks so many requests, as many of each kind; returns how many had which status, by kind."""
    statuses = collections.defaultdict(collections.Counter)
    each = -(-count // (len(KINDS) + len(hostile_grpc.KINDS)))
    with httpx2.Client(base_url=url, timeout=SECONDS) as client:
        for kind, strategy in KINDS.items():
            ask_kind(strategy, each, statuses[f"REST: {kind}"], lambda parts: ask(client, parts))
        alive = client.post(f"{MODEL}:predict", json={"inputs": [[0.0] * SIZE]})
        assert alive.status_code == 200, alive.text
    with grpc.insecure_channel(grpc_address) as channel:
        for kind, strategy in hostile_grpc.KINDS.items():
            ask_kind(
                strategy,
                each,
                statuses[f"gRPC: {kind}"],
                lambda parts: hostile_grpc.ask(channel, parts, SECONDS),
            )
        hostile_grpc.alive(channel, SECONDS)
    return statuses


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


def main():
    from tests.specimens import compiled
    from tests.test_server import started
    from tfgen import export

    parser = argparse.ArgumentParser(prog="python -m tests.hostile", description=__doc__)
    parser.add_argument("--requests", type=int, default=12_000)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as folder:
        export(compiled("conv_vae"), pathlib.Path(folder, "vae"), png=True)
        with started(folder) as (_, url, grpc_address):
            start = time.monotonic()
            statuses = ask_all(url, grpc_address, options.requests)
    for kind, counts in statuses.items():
        print(f"{kind:24}" + "  ".join(f"{status}: {n}" for status, n in sorted(counts.items())))
    total = sum(counts.total() for counts in statuses.values())
    print(f"{total} requests refused in {time.monotonic() - start:.0f} s; none answered otherwise.")


if __name__ == "__main__":
    main()
