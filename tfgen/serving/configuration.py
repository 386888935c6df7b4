"""What TensorFlow Serving needs beside the exports to serve a folder of them."""

import json
import pathlib
import urllib.parse

from google.protobuf import text_format
from tensorflow.core.protobuf import saved_model_pb2
from tensorflow_serving.config import model_server_config_pb2

from tfgen.serving.version_folders import release_files
from tfgen.utils.files import atomic_write

UNPACK = "python -m tfgen unpack FILE.tfgen FOLDER"
IMAGE = "tensorflow/serving:2.20.0"
_PINNING = f"""# A tag may name another image tomorrow. To pin the one that you tried, write its
# digest after its name, {IMAGE}@sha256:...; this shows the digest:
#     docker buildx imagetools inspect {IMAGE}"""
_MOUNTED = "/models"  # where the folder is in the server's container
_ARGUMENTS = [
    f"--model_config_file={_MOUNTED}/models.config",
    "--model_config_file_poll_wait_seconds=30",
    # Or it would not start with labels.
    "--allow_version_labels_for_unavailable_models=true",
    f"--monitoring_config_file={_MOUNTED}/monitoring.config",
]
_BATCHING_ARGUMENTS = [
    "--enable_batching=true",
    f"--batching_parameters_file={_MOUNTED}/batching.config",
]
_MONITORING = """prometheus_config {
  enable: true
  path: "/monitoring/prometheus/metrics"
}
"""
# Rows of several requests are put together, as `python -m tfgen serve` does.
_BATCHING = """max_batch_size { value: 64 }
batch_timeout_micros { value: 1000 }
max_enqueued_batches { value: 64 }
"""


def configure(root, batching=False):
    """Writes the files with which TensorFlow Serving serves all models of a folder.

    `models.config`, `monitoring.config` and `batching.config` are TensorFlow Serving's own;
    `compose.yaml` is for Docker (`docker compose up` in the folder), `kubernetes.yaml` for a
    cluster (a deployment and a service, the folder on a volume that is claimed as `models`). In
    both the server is the user 1000, without privileges, and the container's own disk is read-only.

    Args:
        root: the folder, ROOT/NAME/VERSION. Its release files are left aside: TensorFlow Serving
            cannot read them before they are unpacked, see `packed_only`.
        batching: whether rows of several requests are put together. TensorFlow Serving does so for
            all signatures or none, and then refuses those with inputs that have no rows, such as
            the count and the seed of `sample`: no version that has one would be loaded.

    Returns:
        The paths of the files, which are written anew.

    Raises:
        FileNotFoundError: there is no model in the folder.
        ValueError: a model's name cannot be written or asked for; or a signature has an input
            without rows, and `batching` is asked for.

    Example:
        >>> configure("saved_models")
    """
    root = pathlib.Path(root)
    files = sorted(root.glob("[!.]*/[0-9]*/saved_model.pb"))
    names = sorted({file.parent.parent.name for file in files})
    if not names:
        raise FileNotFoundError(
            f"There is no model in {root} that TensorFlow Serving can read. Train one (`python -m "
            f"training.train`), name another folder, or unpack a release: {UNPACK}."
        )
    for name in names:
        _check_name(name)
    arguments, contents = list(_ARGUMENTS), {}
    if batching:
        for file in files:
            _check_rows(file)
        arguments += _BATCHING_ARGUMENTS
        contents["batching.config"] = _BATCHING
    contents |= {
        "models.config": _models(names),
        "monitoring.config": _MONITORING,
        "compose.yaml": _compose(_status_path(names[0]), arguments),
        "kubernetes.yaml": _kubernetes(_status_path(names[0]), arguments),
    }
    for name, content in contents.items():
        with atomic_write(root / name) as path:
            path.write_text(content)
    return [root / name for name in contents]


def packed_only(root):
    """Returns the names of the models of a folder that are there as release files only."""
    names = [path.stem for path in release_files(root)]
    return [name for name in names if not any(pathlib.Path(root, name).glob("*/saved_model.pb"))]


def _check_name(name):
    """Raises a ValueError unless a folder's name can be a model's, in files and in addresses."""
    if not name.isprintable() or ":" in name:
        raise ValueError(
            "The name of a model must have neither ':' nor characters that cannot be printed, such "
            f"as the end of a line. Received: {name!r}. Rename its folder."
        )


def _status_path(name):
    """Returns the path at which a server says whether a model is available."""
    return f"/v1/models/{urllib.parse.quote(name, safe='')}"


def _check_rows(file):
    """Raises a ValueError if a SavedModel's signature has an input without rows."""
    for graph in saved_model_pb2.SavedModel.FromString(file.read_bytes()).meta_graphs:
        for name, signature in graph.signature_def.items():
            for key, tensor in signature.inputs.items():
                if not tensor.tensor_shape.dim or tensor.tensor_shape.dim[0].size >= 0:
                    raise ValueError(
                        f"Rows cannot be put together: the signature {name} of {file.parent} takes "
                        f"{key}, which has none. Leave out batching."
                    )


def _models(names):
    config = model_server_config_pb2.ModelServerConfig()
    for name in names:
        config.model_config_list.config.add(
            name=name, base_path=f"{_MOUNTED}/{name}", model_platform="tensorflow"
        )
    return text_format.MessageToString(config)


def _compose(path, arguments):
    return f"""{_PINNING}
services:
  serving:
    image: {IMAGE}
    command:
{_lines(arguments, 6)}
    ports:
      - "127.0.0.1:8500:8500"  # gRPC
      - "127.0.0.1:8501:8501"  # REST
    volumes:
      - .:{_MOUNTED}:ro
    user: "1000:1000"  # who must be able to read the models
    read_only: true
    tmpfs:
      - /tmp
    mem_limit: 4g
    cap_drop:
      - ALL
    security_opt:
      - no-new-privileges:true
    healthcheck:
      test: ["CMD", "bash", "-c", "echo > /dev/tcp/localhost/8501"]  # the image has no curl
    restart: unless-stopped
# Ready when http://localhost:8501{path} says AVAILABLE.
"""


def _kubernetes(path, arguments):
    return f"""{_PINNING}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: serving
spec:
  replicas: 1
  selector:
    matchLabels:
      app: serving
  template:
    metadata:
      labels:
        app: serving
      annotations:
        prometheus.io/scrape: "true"
        prometheus.io/port: "8501"
        prometheus.io/path: /monitoring/prometheus/metrics
    spec:
      automountServiceAccountToken: false
      securityContext:
        runAsNonRoot: true
        runAsUser: 1000
        runAsGroup: 1000
        fsGroup: 1000
        seccompProfile:
          type: RuntimeDefault
      containers:
        - name: serving
          image: {IMAGE}
          args:
{_lines(arguments, 12)}
          ports:
            - name: grpc
              containerPort: 8500
            - name: rest
              containerPort: 8501
          readinessProbe:
            httpGet:
              path: {json.dumps(path)}
              port: rest
          livenessProbe:
            tcpSocket:
              port: grpc
            initialDelaySeconds: 60
          resources:
            requests:
              cpu: "1"
              memory: 1Gi
            limits:
              cpu: "4"
              memory: 4Gi
          securityContext:
            readOnlyRootFilesystem: true
            allowPrivilegeEscalation: false
            capabilities:
              drop: [ALL]
          volumeMounts:
            - name: models
              mountPath: {_MOUNTED}
              readOnly: true
            - name: scratch
              mountPath: /tmp
      volumes:
        - name: models
          persistentVolumeClaim:
            claimName: models
            readOnly: true
        - name: scratch
          emptyDir: {{}}
---
apiVersion: v1
kind: Service
metadata:
  name: serving
spec:
  selector:
    app: serving
  ports:
    - name: grpc
      port: 8500
      targetPort: grpc
    - name: rest
      port: 8501
      targetPort: rest
"""


def _lines(items, indent):
    return "\n".join(f"{' ' * indent}- {item}" for item in items)
