"""Whatever happens to a run, nothing is lost: see `training.fault_kinds`."""

import random

import pytest

import training.recipes  # noqa: F401 (registers them)
from training.faults.kinds import FAULTS, STEPS
from training.faults.runs import Undisturbed
from training.recipes.recipe import find
from training.runs.settings import steps_per_execution

# The rest are run by `make faults`: they take minutes.
MARKS = {
    "SIGKILL of the chief of two": [pytest.mark.slow],
    "the newest checkpoint has a flipped bit": [],
}


def test_runs_can_be_interrupted_after_each_step():
    assert steps_per_execution(STEPS, find("r1_gan_ring").steps_per_execution) == 1


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    return Undisturbed(tmp_path_factory.mktemp("undisturbed"))


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=MARKS.get(name, [pytest.mark.faults])) for name in FAULTS],
)
def test_nothing_is_lost(name, tmp_path, undisturbed):
    FAULTS[name].inject(tmp_path / "run", random.Random(), undisturbed)
