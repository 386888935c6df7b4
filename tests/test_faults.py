"""Whatever happens to a run, nothing is lost: see `training.fault_kinds`."""

import json
import random
import threading

import pytest

import training.recipes  # noqa: F401 (registers them)
from training.faults import __main__ as command
from training.faults import disks  # noqa: F401 (registers its faults)
from training.faults.kinds import FAULTS, STEPS, Fault
from training.faults.runs import Broken, NotPossible, Undisturbed
from training.recipes.recipe import find
from training.runs.settings import steps_per_execution

# The rest are run by `make faults`: each takes minutes. `tests/test_training.py` kills a run.
MARKS = {
    "a full or broken disk at the log": [pytest.mark.slow],
    "SIGKILL of the chief of two": [pytest.mark.slow],
    "the newest checkpoint has a flipped bit": [pytest.mark.slow],
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


# --- The command


@pytest.fixture
def faults(monkeypatch):
    """Faults of a dict, from names to what they do; returns it."""
    found = {}
    monkeypatch.setattr(command, "FAULTS", found)
    monkeypatch.setattr(command.Undisturbed, "__init__", lambda self, folder: None)
    return found


def add(faults, name, act=lambda: None):
    """Adds a fault; returns the list of the moments that it is drawn for."""
    moments = []

    def inject(folder, draw, undisturbed):
        moments.append(draw.random())
        act()

    faults[name] = Fault("nothing is lost", inject)
    return moments


def inject(*arguments):
    with pytest.raises(SystemExit) as raised:
        command.main(arguments)
    return raised.value.code


def counts(path):
    return {
        each["fault"]: (each["kept"], each["tried"])
        for each in json.loads(path.read_text())["faults"]
    }


def interrupt():
    raise KeyboardInterrupt


def break_promise():
    raise Broken("The weights differ.")


def give_up():
    raise NotPossible("Only root can.")


def test_several_sittings_add_up_to_what_one_would_have_done(faults, tmp_path, capsys):
    once = add(faults, "one")
    assert not inject("--times=3")
    del faults["one"]
    path, moments = tmp_path / "faults.json", add(faults, "one")
    add(faults, "two", interrupt)
    assert inject("--times=3", f"--output={path}") == 130
    assert counts(path) == {"one": (1, 1)} and "The same command goes on" in capsys.readouterr().err
    add(faults, "two")
    assert not inject("--times=2", f"--output={path}")
    assert not inject("--times=3", f"--output={path}")
    assert counts(path) == {"one": (3, 3), "two": (3, 3)}
    assert moments == once and len(set(moments)) == 3
    assert "6 of 6 promises kept." in capsys.readouterr().out


def test_several_at_once_are_drawn_as_one_by_one(faults, tmp_path):
    path, together = tmp_path / "faults.json", threading.Barrier(2, timeout=30)
    moments = {name: add(faults, name, together.wait) for name in ("one", "two")}
    assert not inject("--times=3", "--at-once=2", f"--output={path}")
    assert counts(path) == {"one": (3, 3), "two": (3, 3)}
    for name, drawn in moments.items():
        assert drawn == [random.Random(f"0/{name}/{turn}").random() for turn in range(3)]


def test_what_an_interruption_breaks_is_not_counted(faults, tmp_path):
    path, begun, ended = tmp_path / "faults.json", threading.Event(), threading.Event()

    def interrupt_it():
        begun.wait(30)
        try:
            interrupt()
        finally:
            threading.Timer(0.5, ended.set).start()

    def be_broken():
        begun.set()
        ended.wait(30)
        break_promise()

    add(faults, "one", be_broken), add(faults, "two", interrupt_it)
    assert inject("--times=1", "--at-once=2", f"--output={path}") == 130
    assert not path.exists()


def test_a_broken_promise_stays_in_the_sum(faults, tmp_path, capsys):
    path = tmp_path / "faults.json"
    add(faults, "one", break_promise)
    assert inject("--times=1", f"--output={path}")
    add(faults, "one")
    assert inject("--times=2", f"--output={path}")
    assert counts(path) == {"one": (1, 2)}
    assert "1 of 2 promises kept." in capsys.readouterr().out


def test_what_is_not_possible_here_is_not_counted(faults, tmp_path):
    path = tmp_path / "faults.json"
    add(faults, "one"), add(faults, "two", give_up)
    assert not inject("--times=2", f"--output={path}")
    assert counts(path) == {"one": (2, 2)}


def test_a_file_of_other_moments_is_not_added_to(faults, tmp_path):
    path = tmp_path / "faults.json"
    add(faults, "one")
    assert not inject(f"--output={path}")
    assert "was begun with --seed 0" in inject("--seed=1", f"--output={path}")
