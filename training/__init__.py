"""Commands that train models, and the recipes they follow.

`python -m training.train`, `training.evaluate` and `training.launch` lie in this folder, the faults
in `training/faults`. The other commands lie in the folder of their kind:
"""

import sys

from tfgen.utils.aliases import Aliases

COMMANDS = {
    "benchmark": "training.benchmarks.speed",
    "benchmark_evaluation": "training.benchmarks.evaluation",
    "benchmark_pixels": "training.benchmarks.pixels",
    "benchmark_scaling": "training.benchmarks.scaling",
    "benchmark_serving": "training.benchmarks.serving",
    "clients": "training.benchmarks.clients",
    "gallery": "training.tools.gallery",
    "layouts": "training.tools.layouts",
    "likelihood": "training.scoring.likelihood",
    "make_embedded": "training.tools.make_embedded",
    "notebooks": "training.tools.notebooks",
    "pictures": "training.tools.pictures",
    "playable": "training.tools.playable",
    "pretraining": "training.scoring.pretraining",
    "probe": "training.scoring.probe",
    "record": "training.tables.record",
    "release": "training.tools.release",
    "same_weights": "training.tools.same_weights",
    "tabulate": "training.tables.tabulate",
    "toy": "training.figures.toy",
}

# Commands that had other names in the release before.
_OLD_COMMANDS = {"load": "training.benchmarks.clients"}

sys.meta_path.append(
    Aliases(
        {f"training.{name}": home for name, home in COMMANDS.items()},
        renamed={f"training.{name}": home for name, home in _OLD_COMMANDS.items()},
    )
)
