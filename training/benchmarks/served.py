"""What a benchmark of the server needs: models, requests to them, a server, and clients."""

import contextlib
import dataclasses
import json
import pathlib
import re
import subprocess
import sys

import numpy as np
import psutil
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2

import tfgen
import training.recipes  # noqa: F401 (registers them)
from training.recipes.recipe import find

MODEL = "dcgan"
SHAPE = (28, 28, 1)
LATENT_DIM = 100


def write_models(root):
    """Exports the generator of `dcgan_fashion` with random weights, and one that does nothing.

    Args:
        root: a folder, which gets two of models to serve: `generator` and `nothing`. Both call
            their model `dcgan`, take the same requests and give answers of the same size.
    """
    gan = find("dcgan_fashion").build(SHAPE, steps=1)
    tfgen.export(gan, pathlib.Path(root, "generator", MODEL))
    images = tf.constant(np.random.default_rng(0).random([1, *SHAPE]), tf.float32)
    module = tf.Module()
    module.answer = tf.function(
        lambda latents: {"images": tf.repeat(images, tf.shape(latents)[0], axis=0)},
        input_signature=[tf.TensorSpec([None, LATENT_DIM], tf.float32, "latents")],
        autograph=False,
    )
    path = pathlib.Path(root, "nothing", MODEL, "1")
    tf.saved_model.save(module, str(path), signatures=module.answer.get_concrete_function())


def loaded(root):
    """Returns the model of a folder as a function of latents, as users load it."""
    model = tf.saved_model.load(str(pathlib.Path(root, MODEL, "1")))

    def call(batch):
        return model.signatures["serving_default"](latents=tf.constant(batch))["images"].numpy()

    return call


def latents(rows):
    """Returns latents of the generator's prior, the same at each call."""
    draws = np.random.default_rng(0).uniform(-1, 1, [rows, LATENT_DIM])
    return draws.astype(np.float32)


def write_requests(folder):
    """Writes a request for one image as a file for each protocol; returns their paths in a dict."""
    row = latents(1)
    request = predict_pb2.PredictRequest()
    request.model_spec.name = MODEL
    request.inputs["latents"].CopyFrom(tf.make_tensor_proto(row))
    contents = {
        "rest": json.dumps({"instances": row.tolist()}).encode(),
        "grpc": request.SerializeToString(),
    }
    paths = {protocol: pathlib.Path(folder, f"request.{protocol}") for protocol in contents}
    for protocol, path in paths.items():
        path.write_bytes(contents[protocol])
    return paths


@dataclasses.dataclass(frozen=True)
class Server:
    """A server that runs.

    Args:
        root: the folder that it serves.
        pid: the number of its process.
        rest: its address for REST, such as "127.0.0.1:8501".
        grpc: its address for gRPC.
    """

    root: pathlib.Path
    pid: int
    rest: str
    grpc: str

    def target(self, protocol):
        """Returns where requests for predictions go."""
        if protocol == "grpc":
            return self.grpc
        return f"http://{self.rest}/v1/models/{MODEL}:predict"

    def megabytes(self):
        """Returns its resident memory."""
        return psutil.Process(self.pid).memory_info().rss / 1e6


@contextlib.contextmanager
def server(root, *options):
    """Starts `python -m tfgen serve` in a process of its own; yields a `Server`.

    Raises:
        OSError: it does not start.
    """
    command = [sys.executable, "-m", "tfgen", "serve", str(root), "--rest-port=0", "--grpc-port=0"]
    process = subprocess.Popen([*command, *options], stdout=subprocess.PIPE, text=True)
    try:
        printed = "".join(process.stdout.readline() for _ in range(4))
        addresses = re.findall(r"127\.0\.0\.1:\d+", printed)
        if len(addresses) != 2:
            raise OSError(f"The server did not start, see above. It printed: {printed!r}.")
        yield Server(pathlib.Path(root), process.pid, *addresses)
    finally:
        process.terminate()
        process.communicate()


def begin_load(server, protocol, request, clients, seconds, pause=0.0):
    """Starts `training.clients` against a server; returns the process."""
    return subprocess.Popen(
        [sys.executable, "-m", "training.clients", protocol, server.target(protocol), str(request)]
        + [
            f"--clients={clients}",
            f"--seconds={seconds}",
            f"--pause={pause}",
            f"--pid={server.pid}",
        ],
        stdout=subprocess.PIPE,
        text=True,
    )


def end_load(process):
    """Waits for a load, and returns its figures.

    Raises:
        OSError: it failed.
    """
    output, _ = process.communicate()
    if process.returncode:
        raise OSError(f"The load ended with {process.returncode}, see above.")
    return json.loads(output)
