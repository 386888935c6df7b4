"""A process that measures, until it is asked for the third time."""

import json
import sys

print(json.dumps({"tasks": {"train": [5, None]}}), flush=True)
for _ in range(2):
    request = json.loads(sys.stdin.readline())
    print(json.dumps({"seconds": request["count"] / 10}), flush=True)
sys.stdin.readline()
sys.exit("something\nno memory is left")
