"""A worker process without TensorFlow, for tests of the launcher: `python -m tests.fake_worker`.

Each argument is what the worker of that index does: a number is the code it ends with; "term" waits
for SIGTERM, "wait" for ever.
"""

import json
import os
import pathlib
import signal
import sys
import time


def terminated(number, frame):
    print("asked to end")
    sys.exit(128 + signal.SIGTERM)


def main(folder, *plans):
    config = json.loads(os.environ["TF_CONFIG"])
    index = config["task"]["index"]
    print(f"worker {index} of {len(config['cluster']['worker'])}")
    print(f"threads {os.environ['TF_NUM_INTRAOP_THREADS']}")
    with pathlib.Path(folder, f"{index}.txt").open("a") as file:
        print(json.dumps(config), os.environ.get("CUDA_VISIBLE_DEVICES"), file=file)
    plan = plans[index]
    if plan == "once":  # fails the first time only
        plan = (
            "-9" if len(pathlib.Path(folder, f"{index}.txt").read_text().splitlines()) == 1 else "0"
        )
    if plan == "term":
        signal.signal(signal.SIGTERM, terminated)
    if plan in ("term", "wait"):
        time.sleep(600)
    if plan == "-9":
        os.kill(os.getpid(), signal.SIGKILL)
    sys.exit(int(plan))


if __name__ == "__main__":
    main(*sys.argv[1:])
