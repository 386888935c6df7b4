"""The files for clusters fit what the clusters' programs take."""

import pathlib
import re
import subprocess
import sys

import pytest
import yaml

from tests.kubernetes_schema import check
from training.runs import ending
from training.train import parse

FOLDER = pathlib.Path(__file__).parent.parent / "training" / "cluster"


def job():
    return yaml.safe_load((FOLDER / "tfjob.yaml").read_text())


def test_the_job_fits_the_schema_of_kubeflow():
    check(job(), "KubeflowOrgV1TFJob")
    assert (job()["apiVersion"], job()["kind"]) == ("kubeflow.org/v1", "TFJob")


@pytest.mark.parametrize(
    ("change", "where"),
    [
        (lambda spec: spec.update(replica=4), "has no field 'replica'"),
        (lambda spec: spec.update(replicas="four"), "replicas"),
        (lambda spec: spec["template"]["spec"].update(volume=[]), "has no field 'volume'"),
        (lambda spec: spec["template"]["spec"]["containers"][0].update(args="x"), "args"),
    ],
)
def test_the_check_would_find_a_mistake(change, where):
    wrong = job()
    change(wrong["spec"]["tfReplicaSpecs"]["Worker"])
    with pytest.raises(AssertionError, match=where):
        check(wrong, "KubeflowOrgV1TFJob")


def test_the_job_starts_a_training_that_may_be_started_again():
    worker = job()["spec"]["tfReplicaSpecs"]["Worker"]
    container = worker["template"]["spec"]["containers"][0]
    assert container["name"] == "tensorflow"  # the operator looks for it by name
    assert container["command"] == ["python", "-m", "training.train"]
    options = parse(container["args"])
    assert options.strategy == "multiworker" and options.output.startswith("/runs/")
    # Kubeflow starts a worker again if its code is 128 or more.
    assert worker["restartPolicy"] == "ExitCode" and ending.LOST >= 128


def test_the_slurm_script_is_sound():
    script = FOLDER / "slurm.sh"
    shellcheck = pathlib.Path(sys.executable).with_name("shellcheck")
    result = subprocess.run([shellcheck, script], capture_output=True, text=True)
    assert result.returncode == 0, result.stdout
    known = {"job-name", "nodes", "ntasks-per-node", "gpus-per-node", "cpus-per-task", "time"}
    known |= {"signal", "requeue", "open-mode", "output"}
    lines = script.read_text().splitlines()
    options = {re.match(r"#SBATCH --([\w-]+)", line)[1] for line in lines if "#SBATCH" in line}
    assert options == known
    # Slurm reads options up to the first command only.
    first = next(index for index, line in enumerate(lines) if line and line[0] != "#")
    assert max(index for index, line in enumerate(lines) if "#SBATCH" in line) < first


@pytest.mark.parametrize(("code", "queued"), [(0, False), (1, False), (138, True), (143, True)])
def test_the_slurm_script_queues_the_job_again_where_that_helps(tmp_path, code, queued):
    for name, body in (
        ("srun", f'echo srun "$@"; exit {code}'),
        ("scontrol", 'echo scontrol "$@"'),
    ):
        (tmp_path / name).write_text(f"#!/bin/bash\n{body}\n")
        (tmp_path / name).chmod(0o755)
    result = subprocess.run(
        ["bash", FOLDER / "slurm.sh", "vae_demo", "--epochs", "3"],
        env={"PATH": f"{tmp_path}:/usr/bin:/bin", "SLURM_JOB_ID": "7"},
        capture_output=True,
        text=True,
    )
    assert result.returncode == code
    assert "-m training.train --strategy multiworker vae_demo --epochs 3" in result.stdout
    assert ("scontrol requeue 7" in result.stdout) == queued
