"""The machine that a figure was read on."""

import os
import pathlib
import platform


def machine():
    """Returns the processor's name, its number of cores and the GPUs, if any, as a dict."""
    found = {"processor": _processor(), "cores": os.cpu_count(), "system": platform.system()}
    return {**found, "accelerators": gpus} if (gpus := _gpus()) else found


def _gpus():
    """Returns the names of NVIDIA's GPUs, as their driver tells them."""
    told = sorted(pathlib.Path("/proc/driver/nvidia/gpus").glob("*/information"))
    return [_value(each, "Model") or "NVIDIA GPU" for each in told]


def _processor():
    return _value(pathlib.Path("/proc/cpuinfo"), "model name") or platform.processor()


def _value(path, name):
    """Returns what a file of `name: value` lines says, once; `None` if it does not."""
    if path.exists():
        for line in path.read_text().splitlines():
            if line.startswith(name):
                return line.partition(":")[2].strip()
    return None
