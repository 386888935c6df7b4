"""The launcher starts workers, shows what they print, and ends all when one fails."""

import json
import os
import signal
import socket
import subprocess
import sys
import time

import pytest

from training import launch
from training.launch import Launcher, free_ports, parse
from training.runs import ending

COMMAND = [sys.executable, "-m", "tests.fake_worker"]


def run(folder, *plans, restarts=0, arguments=()):
    options, rest = parse([f"--workers={len(plans)}", *arguments])
    assert rest == []
    launcher = Launcher([*COMMAND, str(folder), *plans], options)
    return launcher.run(restarts)


def starts(folder, index=0):
    return len((folder / f"{index}.txt").read_text().splitlines())


def test_every_worker_knows_its_place_and_is_shown(tmp_path, capsys):
    assert run(tmp_path, "0", "0", "0") == 0
    printed = capsys.readouterr().out
    threads = max(1, len(os.sched_getaffinity(0)) // 3)
    clusters = []
    for index in range(3):
        assert f"[worker {index}] worker {index} of 3\n" in printed
        assert f"[worker {index}] threads {threads}\n" in printed
        text, _, gpus = (tmp_path / f"{index}.txt").read_text().strip().rpartition(" ")
        config = json.loads(text)
        assert config["task"] == {"type": "worker", "index": index}
        assert gpus == os.environ.get("CUDA_VISIBLE_DEVICES", "None")
        clusters.append(config["cluster"]["worker"])
    assert clusters[0] == clusters[1] == clusters[2] and len(set(clusters[0])) == 3


@pytest.mark.parametrize(("networks", "told"), [(["lo", "eth0"], True), (["lo"], False)])
def test_it_says_which_ports_strangers_must_not_reach(
    networks, told, tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr(socket, "if_nameindex", lambda: list(enumerate(networks, 1)))
    assert run(tmp_path, "0") == 0
    printed = capsys.readouterr().out
    assert ("listen on all networks of this machine, at the ports [" in printed) == told
    text = (tmp_path / "0.txt").read_text().rpartition(" ")[0]
    (address,) = json.loads(text)["cluster"]["worker"]
    assert (address.partition(":")[2] in printed) == told


def test_workers_get_gpus_of_their_own(tmp_path):
    assert run(tmp_path, "0", "0", arguments=["--gpus-per-worker=2"]) == 0
    gpus = [(tmp_path / f"{index}.txt").read_text().split()[-1] for index in range(2)]
    assert gpus == ["0,1", "2,3"]


@pytest.mark.parametrize(
    ("plans", "restarts", "code", "times"),
    [
        (("0", "once"), 1, 0, 2),
        (("once", "0"), 3, 0, 2),
        (("138", "138"), 2, 138, 3),
        (("0", "-9"), 1, 137, 2),
        (("143", "143"), 1, 143, 2),
        (("1", "1"), 5, 1, 1),  # a mistake that another start would not mend
        (("2", "0"), 5, 2, 1),
    ],
)
def test_workers_are_started_again_where_that_can_help(tmp_path, plans, restarts, code, times):
    assert run(tmp_path, *plans, restarts=restarts) == code
    assert starts(tmp_path, 0) == starts(tmp_path, 1) == times


def test_the_others_are_ended_when_one_fails(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(launch, "_SECONDS_TO_END", 0.5)
    start = time.monotonic()
    assert run(tmp_path, "wait", "1") == 1
    assert time.monotonic() - start < 30
    printed = capsys.readouterr().out
    assert "launch: worker 1 ended with code 1.\n" in printed
    assert "launch: worker 0 does not end, and is killed.\n" in printed
    assert "again" not in printed


def test_it_says_who_was_killed_and_how_many_restarts_are_left(tmp_path, capsys):
    assert run(tmp_path, "0", "-9", restarts=2) == 137
    printed = capsys.readouterr().out
    assert printed.count("launch: worker 1 was killed (SIGKILL).\n") == 3
    assert "starting all workers again (2 restarts are left)" in printed
    assert "starting all workers again (1 restarts are left)" in printed


def test_asked_to_end_it_asks_the_workers_and_starts_none_again(tmp_path):
    command = [sys.executable, "-m", "training.launch", "--module=tests.fake_worker"]
    process = subprocess.Popen(
        [*command, "--workers=2", "--restarts=5", str(tmp_path), "term", "term"],
        stdout=subprocess.PIPE,
        text=True,
    )
    lines = [process.stdout.readline() for _ in range(4)]
    assert all("worker" in line for line in lines)
    time.sleep(0.5)  # until the workers listen to signals
    process.send_signal(signal.SIGTERM)
    rest, _ = process.communicate(timeout=60)
    assert process.returncode == 143
    assert "[worker 0] asked to end" in rest and "[worker 1] asked to end" in rest
    assert starts(tmp_path, 0) == starts(tmp_path, 1) == 1


def test_the_launcher_knows_the_code_of_a_worker_that_was_left_alone():
    assert ending.LOST in launch._WORTH_A_RESTART


def test_ports_are_free_and_different():
    ports = free_ports(20)
    assert len(set(ports)) == 20 and min(ports) > 1023
