"""What several runs measured, on the page of results."""

import json
import pathlib

import pytest

from training.tables import of_runs, record

SETTINGS = {
    "recipe": "vae_sprites",
    "data": "sprites",
    "examples": 100,
    "batch_size": 10,
    "steps_per_epoch": 10,
    "epochs": 2,
    "mixed_precision": None,
}


def complete(path, seed, score, **settings):
    """Writes the folder of a complete run that measured a score."""
    path.mkdir()
    config = {"settings": {**SETTINGS, "seed": seed, **settings}, "versions": {}}
    (path / "config.json").write_text(json.dumps(config))
    (path / "model.keras").write_bytes(b"")
    results = {"recipe": "vae_sprites", "measured": {"higgins": score}, "test": {"loss": 2 * score}}
    (path / "results.json").write_text(json.dumps({**results, "seconds": 60.0}))
    return str(path)


def test_runs_of_several_seeds_become_one_result_and_a_mean(tmp_path):
    runs = [complete(tmp_path / str(seed), seed, score) for seed, score in enumerate([0.2, 0.6])]
    record.main([*runs, f"--output={tmp_path / 'seeds.json'}"])
    result = json.loads((tmp_path / "seeds.json").read_text())
    assert [run["measured"]["higgins"] for run in result["seeds"]] == [0.2, 0.6]
    part = of_runs.seeds("seeds_vae_sprites.json", result)
    assert "### vae_sprites, 2 seeds" in part
    assert "| `higgins` | 0.4 ± 0.3 |" in part  # the deviation of a sample: 0.283
    assert "| `loss` | 0.8 ± 0.6 |" in part
    assert (
        "python -m training.train vae_sprites --data sprites --epochs 2 --seed 1 "
        "--output runs/vae_sprites_1\n"
    ) in part
    assert "python -m training.record runs/vae_sprites_0 runs/vae_sprites_1\n" in part


def estimate(run, nats, samples):
    """Writes what `training.likelihood` does."""
    found = {"nats": nats, "standard_error": 0.3, "evaluation_seconds": 9.0, "machine": {}}
    found["protocol"] = {"importance_samples": samples}
    pathlib.Path(run, "likelihood.json").write_text(json.dumps(found))


def test_runs_of_which_a_likelihood_was_estimated_keep_it(tmp_path):
    runs = [complete(tmp_path / str(seed), seed, 0.2) for seed in range(2)]
    estimate(runs[0], 95.0, 500), estimate(runs[1], 96.0, 500)
    record.main([*runs, f"--output={tmp_path / 'seeds.json'}"])
    result = json.loads((tmp_path / "seeds.json").read_text())
    part = of_runs.seeds("seeds_vae_sprites.json", result)
    assert "| negative log-likelihood, nats, 500 importance samples | 95.50 ± 0.71 |" in part
    assert "python -m training.likelihood runs/vae_sprites_1 --samples 500\n" in part


@pytest.mark.parametrize("samples", [None, 100])
def test_likelihoods_of_other_protocols_are_not_put_together(tmp_path, samples):
    runs = [complete(tmp_path / str(seed), seed, 0.2) for seed in range(2)]
    estimate(runs[0], 95.0, 500)
    if samples:
        estimate(runs[1], 96.0, samples)
    with pytest.raises(SystemExit, match=f"one protocol. Received: .*500.*{samples}"):
        record.main([*runs, f"--output={tmp_path / 'seeds.json'}"])
    assert not (tmp_path / "seeds.json").exists()


@pytest.mark.parametrize("changed", [{"seed": 0}, {"seed": 1, "epochs": 3}])
def test_runs_that_differ_in_more_or_less_than_their_seeds_are_refused(tmp_path, changed):
    first = complete(tmp_path / "first", 0, 0.2)
    other = complete(tmp_path / "other", **{"score": 0.3, **changed})
    with pytest.raises(SystemExit, match="must differ in their seeds, .* Received: vae_sprites"):
        record.main([first, other, f"--output={tmp_path / 'seeds.json'}"])
    assert not (tmp_path / "seeds.json").exists()


def test_what_pre_training_is_worth_is_a_table_of_means():
    found = {"random weights": {"100": [0.7, 0.72], "1000": [0.9, 0.9]}}
    result = {"pretraining": found, "settings": {}, "seconds": 1.0, "machine": {}}
    assert of_runs.accuracies(result).splitlines() == [
        "| layers begin with | 100 labels | 1,000 labels |",
        "| --- | --- | --- |",
        "| random weights | 71.0% ± 1.4% | 90.0% ± 0.0% |",
    ]
