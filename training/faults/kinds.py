"""What can happen to a run, and what is promised then."""

import dataclasses
import json
import os
import re
import signal
import sys
import time
from collections.abc import Callable

from training.faults.runs import Broken, Run, checkpoints

FAULTS = {}
EPOCHS = 6
STEPS = 101  # no number up to the recipe's steps an execution divides it: each is a call of its own
_RUN = ["r1_gan_ring", f"--steps={STEPS}", "--batch-size=64", f"--epochs={EPOCHS}", "--no-xla"]
_RUN += ["--checkpoint-minutes=0.003"]
EXPORTING = (sys.executable, "-m", "training.train", *_RUN)
ALONE = (*EXPORTING, "--no-export")
TWO = (sys.executable, "-m", "training.launch", "--workers=2", "--restarts=1", *_RUN, "--no-export")


@dataclasses.dataclass(frozen=True)
class Fault:
    """One kind of fault.

    Args:
        promise: what is promised.
        inject: a function of a new run's folder, a `random.Random` and the `Undisturbed`; it raises
            `Broken` if the promise is not kept.
    """

    promise: str
    inject: Callable


def fault(name, promise):
    """Registers the decorated function as a fault."""

    def register(inject):
        FAULTS[name] = Fault(promise, inject)
        return inject

    return register


def begun(command, folder, draw, first=2):
    """Returns a run that is in a random one of its epochs from `first`, at a random moment."""
    run = Run(command, folder)
    run.wait_for_epoch(draw.randint(first, EPOCHS - 1))
    time.sleep(draw.uniform(0, 0.3))
    return run


def killed(folder, draw, first=2):
    """Leaves a run in `folder` that has two checkpoints, and is not complete."""
    run = begun(ALONE, folder, draw, first)
    run.wait_until(lambda: len(checkpoints(folder)) > 1)
    run.kill()


@fault("SIGKILL at any moment", "started again, it ends with the same weights")
def _(folder, draw, undisturbed):
    begun(ALONE, folder, draw).kill()
    Run(ALONE, folder).expect(0, "Going on after epoch")
    undisturbed.compare(ALONE, folder)


@fault("SIGKILL within a save", "started again, it ends with the same weights")
def _(folder, draw, undisturbed):
    run = begun(ALONE, folder, draw)
    run.wait_for_save()
    run.kill()
    Run(ALONE, folder).expect(0, "Going on after epoch")
    undisturbed.compare(ALONE, folder)


@fault("SIGTERM", "it saves after the step it is in, says so, and goes on from there")
def _(folder, draw, undisturbed):
    run = begun(ALONE, folder, draw)
    run.process.terminate()
    run.expect(128 + signal.SIGTERM, "Asked to end (SIGTERM). The state after step")
    step = int(re.search(r"after step (\d+) is saved", run.text)[1])
    if not any((folder / "checkpoints").glob(f"{step:010d}-*")):
        raise Broken(f"Step {step} is not saved.")
    epoch, within = divmod(step, STEPS)
    Run(ALONE, folder).expect(
        0, f"after epoch {epoch} of {EPOCHS}" + (f", at step {within} of {STEPS}" if within else "")
    )
    undisturbed.compare(ALONE, folder)


def _kill_one_of_two(index, wait):
    def inject(folder, draw, undisturbed):
        run = begun(TWO, folder, draw)
        wait(run)
        os.kill(run.worker(index), signal.SIGKILL)
        run.expect(
            0,
            f"launch: worker {index} was killed (SIGKILL)",
            "another worker ended or is out of reach",
            "launch: starting all workers again",
            "Going on after epoch",
        )
        undisturbed.compare(TWO, folder)

    return inject


for _index, _name in enumerate(["the chief", "worker 1"]):
    for _moment, _wait in (("", lambda run: None), (" within a save", Run.wait_for_save)):
        fault(
            f"SIGKILL of {_name} of two{_moment}",
            "the other ends and says why; the launcher starts both again; the same weights",
        )(_kill_one_of_two(_index, _wait))


@fault("SIGTERM of one worker of two", "both save the same step and end; both go on")
def _(folder, draw, undisturbed):
    run = begun(TWO, folder, draw)
    os.kill(run.worker(draw.randint(0, 1)), signal.SIGTERM)
    run.expect(0, "Asked to end (SIGTERM)", "launch: starting all workers again", "Going on after")
    steps = re.findall(r"The state after step (\d+)", run.text)
    if len(steps) != 2 or steps[0] != steps[1]:
        raise Broken(f"The workers ended after the steps {steps}.")
    undisturbed.compare(TWO, folder)


@fault("SIGTERM of the launcher", "both workers save and end; started again, the same weights")
def _(folder, draw, undisturbed):
    run = begun(TWO, folder, draw)
    run.process.terminate()
    run.expect(128 + signal.SIGTERM, "Asked to end (SIGTERM)")
    Run(TWO, folder).expect(0, "Going on after epoch")
    undisturbed.compare(TWO, folder)


@fault("one worker of two hangs (SIGSTOP)", "the other ends within 40 s; all are started again")
def _(folder, draw, undisturbed):
    run = begun(TWO, folder, draw)
    stopped = time.monotonic()
    os.kill(run.worker(draw.randint(0, 1)), signal.SIGSTOP)
    run.wait_until(lambda: "another worker ended or is out of reach" in run.text)
    if time.monotonic() - stopped > 40:
        raise Broken(f"The other noticed after {time.monotonic() - stopped:.0f} s.")
    run.expect(0, "does not end, and is killed", "launch: starting all workers again")
    undisturbed.compare(TWO, folder)


def _damage(change):
    def inject(folder, draw, undisturbed):
        killed(folder, draw)
        *_, older, newest = checkpoints(folder)
        change(newest, draw)
        step = int(older.name.split("-")[0])
        Run(ALONE, folder).expect(
            0,
            f"The checkpoint {newest} is damaged",
            "Going back to the one before",
            f"Going on after epoch {step // STEPS} of",
        )
        undisturbed.compare(ALONE, folder)

    return inject


def _cut(path, draw):
    with path.open("r+b") as file:
        file.truncate(draw.randrange(path.stat().st_size))


def _flip(path, draw):
    content = bytearray(path.read_bytes())
    content[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
    path.write_bytes(content)


for _name, _change in (("has lost its end", _cut), ("has a flipped bit", _flip)):
    fault(
        f"the newest checkpoint {_name}", "it says so, goes on from the one before; same weights"
    )(_damage(_change))


@fault("the newest checkpoint is gone", "it goes on from the one before; the same weights")
def _(folder, draw, undisturbed):
    killed(folder, draw)
    checkpoints(folder)[-1].unlink()
    Run(ALONE, folder).expect(0, "Going on after epoch")
    undisturbed.compare(ALONE, folder)


@fault("all checkpoints are damaged", "it is refused, and nothing is overwritten")
def _(folder, draw, undisturbed):
    killed(folder, draw)
    files = checkpoints(folder)
    for path in files:
        _flip(path, draw)
    left = {path: path.read_bytes() for path in files}
    Run(ALONE, folder).expect(1, "Every checkpoint in", "is damaged", "to begin anew")
    if {path: path.read_bytes() for path in checkpoints(folder)} != left:
        raise Broken("The checkpoints were touched.")


@fault("a second run in the same folder", "it is refused; the first is not disturbed")
def _(folder, draw, undisturbed):
    run = begun(ALONE, folder, draw)
    run.process.send_signal(signal.SIGSTOP)  # so that it is not over too early
    Run(ALONE, folder).expect(1, "Another run is writing to", f"process {run.process.pid} on")
    run.process.send_signal(signal.SIGCONT)
    run.expect(0)
    undisturbed.compare(ALONE, folder)


@fault("started again with two workers, then one", "it says so; the same weights to rounding")
def _(folder, draw, undisturbed):
    killed(folder, draw, first=EPOCHS - 1)  # not early: rounding errors grow from step to step
    run = Run(TWO, folder)
    run.wait_until(lambda: "Epoch " in run.text)
    run.process.terminate()
    run.expect(128 + signal.SIGTERM, "replicas 1 -> 2")
    Run(ALONE, folder).expect(0, "Going on after epoch")
    undisturbed.compare(ALONE, folder, tolerance=1e-3)


@fault("started again with another batch size", "it is refused, and nothing is changed")
def _(folder, draw, undisturbed):
    killed(folder, draw)
    config = (folder / "config.json").read_text()
    Run(ALONE, folder, "--batch-size=32").expect(1, "batch_size 64 -> 32", "--change")
    if json.loads(config) != json.loads((folder / "config.json").read_text()):
        raise Broken("The settings were changed.")
    Run(ALONE, folder).expect(0)
    undisturbed.compare(ALONE, folder)
