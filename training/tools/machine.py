"""The machine that a figure was read on."""

import os
import pathlib
import platform


def machine():
    """Returns the processor's name and its number of cores, as a dict."""
    return {"processor": _processor(), "cores": os.cpu_count(), "system": platform.system()}


def _processor():
    information = pathlib.Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor()
