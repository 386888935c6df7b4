"""Prints how many floating-point operations a step of training takes; see `arithmetic`.

$ python -m training.benchmark.operations dcgan
"""

import json
import sys

from tfgen.utils.tensorflow_setup import import_tensorflow


def main(arguments=None):
    """Prints, for the workloads of these names, the operations of a step of each way, as JSON."""
    import_tensorflow()
    from training.benchmarks.speed.workloads import WORKLOADS

    names = sys.argv[1:] if arguments is None else arguments
    found = {name: WORKLOADS[name].operations(WORKLOADS[name].networks()) for name in names}
    print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main()
