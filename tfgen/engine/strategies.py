"""Which devices and machines train together, by one name."""

import json
import os
import re

import tensorflow as tf
from tensorflow.compiler.xla.tsl.protobuf import coordination_config_pb2
from tensorflow.python.distribute.cluster_resolver.slurm_cluster_resolver import (
    expand_hostlist,
    expand_tasks_per_node,
)
from tensorflow.python.eager import context

from tfgen.utils.suggestions import suggest

_SECONDS_TO_JOIN = 600
_SECONDS_OF_SILENCE = 30
_PORTS = range(20000, 40000)


def strategy(name="auto", replicas=None):
    """Makes the strategy that a model is built and trained under.

    Ask for it first in a program: TensorFlow divides its devices when it starts.

    Args:
        name: one of

            * "none": TensorFlow's own, one device;
            * "one": one device, by the rules of several: for finding out what breaks;
            * "mirrored": all GPUs of this machine, or as many logical devices of its processor as
              `replicas` says, for trying things out;
            * "multiworker": all machines of a cluster, whose addresses and this one's place among
              them come from the variable TF_CONFIG (Kubeflow and `training.launch` set it) or from
              Slurm's;
            * "auto": "multiworker" in a cluster, "mirrored" with several GPUs, otherwise "none".
        replicas: with "mirrored", how many devices to use; `None` for all GPUs.

    Returns:
        A `tf.distribute.Strategy`.

    Raises:
        ValueError: there is no such name, no cluster, or fewer devices than asked for.

    Example:
        >>> with tfgen.strategy("auto").scope():
        ...     gan = tfgen.GAN(generator, discriminator, prior)
        ...     gan.compile()
        >>> gan.fit(stream, steps_per_epoch=1000)
    """
    if name not in STRATEGIES:
        raise ValueError(f"There is no strategy {name!r}. {suggest(name, STRATEGIES)}")
    if replicas is not None and name != "mirrored":
        raise ValueError(
            f'`replicas` is for the strategy "mirrored". Received: {name!r}, replicas={replicas}.'
        )
    return STRATEGIES[name]() if replicas is None else _mirrored(replicas)


def cluster():
    """Finds the cluster that this process is a worker of.

    Returns:
        A `tf.distribute.cluster_resolver.ClusterResolver`; `None` outside of a cluster.

    Raises:
        ValueError: TF_CONFIG is no such description.
    """
    if "TF_CONFIG" in os.environ:
        _check_tf_config()
        resolver = tf.distribute.cluster_resolver.TFConfigClusterResolver()
        return resolver if resolver.cluster_spec().jobs else None
    if int(os.environ.get("SLURM_STEP_NUM_TASKS", 1)) > 1:
        return _slurm()
    return None


def _none():
    return tf.distribute.get_strategy()


def _one():
    return tf.distribute.OneDeviceStrategy("GPU:0" if _gpus() else "CPU:0")


def _mirrored(replicas=None):
    kind = "GPU" if _gpus() else "CPU"
    if kind == "CPU":
        _divide_processor(replicas or 1)
    devices = tf.config.list_logical_devices(kind)
    if len(devices) < (replicas or 1):
        raise ValueError(
            f"{replicas} replicas need as many devices. This process has {len(devices)} {kind}s."
        )
    return tf.distribute.MirroredStrategy([device.name for device in devices[:replicas]])


def _multiworker():
    resolver = cluster()
    if resolver is None:
        raise ValueError(
            "There is no cluster: neither TF_CONFIG nor Slurm's variables are set. Start worker "
            "processes with `python -m training.launch --workers 2 RECIPE`, or see "
            "training/cluster."
        )
    _bound_waiting(resolver.cluster_spec())
    return tf.distribute.MultiWorkerMirroredStrategy(resolver)


def _auto():
    if cluster() is not None:
        return _multiworker()
    return _mirrored() if len(_gpus()) > 1 else _none()


STRATEGIES = {
    "none": _none,
    "one": _one,
    "mirrored": _mirrored,
    "multiworker": _multiworker,
    "auto": _auto,
}


def _gpus():
    return tf.config.list_physical_devices("GPU")


def _divide_processor(count):
    processor = tf.config.list_physical_devices("CPU")[0]
    parts = [tf.config.LogicalDeviceConfiguration()] * count
    try:
        tf.config.set_logical_device_configuration(processor, parts)
    except RuntimeError as error:
        if len(tf.config.list_logical_devices("CPU")) < count:
            raise ValueError(
                f"TensorFlow has started, and cannot divide the processor into {count} devices any "
                "more. Ask for the strategy before all else."
            ) from error


def _bound_waiting(spec):
    """Makes a worker end with an error, rather than wait, when another one stays away.

    A process that dies is noticed at once, since its connections break; one that hangs, or a
    machine that is gone, by its silence. TensorFlow would wait an hour for one that never came.
    """
    jobs = [job for job in ("chief", "worker") if job in spec.jobs]
    service = context.context()
    if service.coordination_service is None:
        service.configure_coordination_service(
            service_type="standalone",
            service_leader=f"/job:{jobs[0]}/replica:0/task:0",
            cluster_register_timeout_in_ms=1000 * _SECONDS_TO_JOIN,
            heartbeat_timeout_in_ms=1000 * _SECONDS_OF_SILENCE,
            coordinated_jobs=[
                coordination_config_pb2.CoordinatedJob(name=job, num_tasks=spec.num_tasks(job))
                for job in jobs
            ],
        )


def _check_tf_config():
    text = os.environ["TF_CONFIG"]
    example = '{"cluster": {"worker": ["host:port", ...]}, "task": {"type": "worker", "index": 0}}'
    try:
        config = json.loads(text)
        workers = config.get("cluster", {})
        known = not workers or config["task"]["index"] < len(workers[config["task"]["type"]])
    except (ValueError, KeyError, TypeError, AttributeError):
        known = False
    if not known:
        raise ValueError(f"TF_CONFIG must be like {example}. Received: {text}.")


def _slurm():
    """Reads Slurm's variables, one task for each worker.

    TensorFlow's own resolver sorts the nodes by name, which puts node10 before node2 and so gives
    processes each other's addresses, and needs NVIDIA's tools. Nodes here are in Slurm's order.
    """
    nodes = expand_hostlist(os.environ["SLURM_STEP_NODELIST"])
    tasks = expand_tasks_per_node(os.environ["SLURM_STEP_TASKS_PER_NODE"])
    # Jobs that share a node must not share ports.
    digits = re.sub(r"\D", "", os.environ.get("SLURM_JOB_ID", "")) or "0"
    first = _PORTS[int(digits) * 64 % len(_PORTS)]
    addresses = [
        f"{node}:{first + index}"
        for node, count in zip(nodes, tasks, strict=True)
        for index in range(count)
    ]
    return tf.distribute.cluster_resolver.SimpleClusterResolver(
        tf.train.ClusterSpec({"worker": addresses}),
        task_type="worker",
        task_id=int(os.environ["SLURM_PROCID"]),
        rpc_layer="grpc",
    )
