"""The files for clusters fit what the clusters' programs take."""

import pathlib
import re
import subprocess
import sys

import pytest
import yaml

from tests.kubernetes_schema import assert_least_privilege, check
from training.runs import ending
from training.train import parse

FOLDER = pathlib.Path(__file__).parent.parent / "training" / "cluster"


def job():
    return next(yaml.safe_load_all((FOLDER / "tfjob.yaml").read_text()))


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


def test_the_job_has_no_more_rights_than_it_needs():
    pod = job()["spec"]["tfReplicaSpecs"]["Worker"]["template"]["spec"]
    assert_least_privilege(pod)
    # What a read-only image cannot take, such as data that are downloaded, has a place.
    (container,) = pod["containers"]
    places = {each["mountPath"] for each in container["volumeMounts"]}
    variables = {each["name"]: each["value"] for each in container["env"]}
    assert {variables["HOME"], variables["TMPDIR"], "/runs"} <= places
    assert {each["name"] for each in pod["volumes"]} == {
        each["name"] for each in container["volumeMounts"]
    }


def test_the_workers_of_a_job_are_reached_by_each_other_alone():
    _, policy = yaml.safe_load_all((FOLDER / "tfjob.yaml").read_text())
    check(policy, "V1NetworkPolicy")
    own = {"matchLabels": {"training.kubeflow.org/job-name": job()["metadata"]["name"]}}
    assert policy["spec"] == {
        "podSelector": own,
        "policyTypes": ["Ingress"],
        "ingress": [{"from": [{"podSelector": own}]}],
    }


def test_an_image_holds_the_code_and_nothing_that_was_made_beside_it():
    root = FOLDER.parents[1]
    left_out = (root / ".dockerignore").read_text().splitlines()
    assert {".git", "runs", "saved_models"} <= set(left_out)
    for line in (root / ".gitignore").read_text().splitlines():
        if line.startswith(("/", "!", "saved_models")):
            continue  # named above, or beneath it
        assert f"**/{line}" in left_out
    kept = ("setup.cfg", "pyproject.toml", "constraints.txt", "DESCRIPTION.md", "tfgen", "training")
    assert not {*kept, "*", "**"} & set(left_out)


@pytest.mark.parametrize("name", ["Dockerfile", "tfjob.yaml"])
def test_how_to_pin_an_image_is_said(name):
    assert "@sha256:" in (FOLDER / name).read_text()


def slurm(folder, code, **variables):
    """Runs the script with stand-ins for Slurm's programs; `srun` ends with a code."""
    for name, body in (
        ("srun", f'echo srun "$@"; exit {code}'),
        ("scontrol", 'echo scontrol "$@"'),
    ):
        (folder / name).write_text(f"#!/bin/bash\n{body}\n")
        (folder / name).chmod(0o755)
    return subprocess.run(
        ["bash", FOLDER / "slurm.sh", "vae_demo", "--epochs", "3"],
        env={"PATH": f"{folder}:/usr/bin:/bin", "SLURM_JOB_ID": "7", **variables},
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize(("code", "queued"), [(0, False), (1, False), (138, True), (143, True)])
def test_the_slurm_script_queues_the_job_again_where_that_helps(tmp_path, code, queued):
    result = slurm(tmp_path, code)
    assert result.returncode == code
    assert "-m training.train --strategy multiworker vae_demo --epochs 3" in result.stdout
    assert ("scontrol requeue 7" in result.stdout) == queued
    assert ("restart 1 of 20 is queued" in result.stderr) == queued


@pytest.mark.parametrize(
    ("count", "most", "queued"),
    [(19, None, True), (20, None, False), (20, 21, True), (0, 0, False)],
)
def test_the_slurm_script_queues_the_job_again_so_often_and_no_more(tmp_path, count, most, queued):
    limit = {} if most is None else {"TFGEN_RESTARTS": str(most)}
    result = slurm(tmp_path, 143, SLURM_RESTART_COUNT=str(count), **limit)
    assert result.returncode == 143
    assert ("scontrol requeue 7" in result.stdout) == queued
    said = f"ended with code 143 after {count} restarts: not queued again. The same command goes on"
    assert (said in result.stderr) != queued
