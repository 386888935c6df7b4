"""How often each fault was tried and each promise kept, over several sittings."""

import json
import pathlib
import threading
import time

from training.runs.run_folder import commit, write_json
from training.tools.machine import machine


class Record:
    """Counts for each fault, in a file that is written after each, and that a later start adds to.

    Args:
        path: the JSON file; `None` for none.
        seed: that of the moments.

    Raises:
        ValueError: the file has moments of another seed.
    """

    def __init__(self, path, seed):
        self.path = pathlib.Path(path) if path else None
        found = json.loads(self.path.read_text()) if path and self.path.exists() else {}
        if found.get("seed", seed) != seed:
            raise ValueError(
                f"{path} was begun with --seed {found['seed']}. Go on with it, or choose another "
                f"file. Received: --seed {seed}."
            )
        self.seed = seed
        self.counts = {each["fault"]: each for each in found.get("faults", [])}
        self.seconds = found.get("seconds", 0)
        # What was measured by several versions of the code says so.
        self.commits = list(dict.fromkeys([*found.get("commits", []), commit()]))
        self._noted_at = time.monotonic()
        self._noting = threading.Lock()

    def tried(self, name):
        """Returns how often a fault was tried."""
        return self.counts[name]["tried"] if name in self.counts else 0

    def note(self, name, promise, kept):
        """Counts a fault that was tried, and writes the file."""
        with self._noting:
            self._note(name, promise, kept)

    def _note(self, name, promise, kept):
        count = self.counts.setdefault(name, {"fault": name, "tried": 0, "kept": 0})
        count |= {"promise": promise, "tried": count["tried"] + 1, "kept": count["kept"] + kept}
        earlier, self._noted_at = self._noted_at, time.monotonic()
        self.seconds += self._noted_at - earlier
        print(f"{name:48}{count['kept']} of {count['tried']} kept", flush=True)
        if self.path:
            write_json(self.path, self._content())

    def totals(self):
        """Returns how many promises were kept, and how many faults tried."""
        return tuple(sum(each[key] for each in self.counts.values()) for key in ("kept", "tried"))

    def _content(self):
        return {
            "faults": list(self.counts.values()),
            "seed": self.seed,
            "seconds": round(self.seconds),
            "machine": machine(),
            "commits": self.commits,
        }
