"""The evaluation command, as users run it, on tiny data with pixels for features."""

import json
import pathlib
import shutil

import numpy as np
import pytest

import tfgen
from tests.specimens import SHAPE, SPECIMENS, compiled, each_of, images
from tfgen.data import source
from tfgen.evaluation import PixelFeatures, Reference, Result, compare
from tfgen.pictures import write_png
from tfgen.serving.pack import pack
from training import evaluate
from training.scoring.report import _interpolate, _neighbours


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """Keeps the command's files, and the user's cache, out of each other's way."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TFGEN_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def folder(tmp_path):
    return write_images(tmp_path / "real", images(20))


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "tiny.keras"
    compiled("mlp_vae").save(path)
    return path


def write_images(folder, pictures):
    for index, image in enumerate(pictures):
        write_png(folder / f"{index:02}.png", np.uint8(np.rint(image * 255)))
    return folder


def run(*arguments):
    scores = [] if "--scores" in arguments else ["--scores", "frechet,moments,one_nn"]
    features = [] if "--features" in arguments else ["--features", "pixels"]
    evaluate.main([*map(str, arguments), *scores, *features])
    content = json.loads(pathlib.Path("runs/evaluation.json").read_text())
    return [Result.from_json(result) for result in content["results"]]


def fails(message, *arguments):
    with pytest.raises(SystemExit, match=message):
        run(*arguments)


def values(result):
    return {score.name: score.value for score in result.scores}


def test_a_folder_against_itself_is_perfect(folder):
    (result,) = run(folder, "--data", f"folder:{folder}", "--split", "all")
    found = values(result)
    assert found["pixels_frechet_distance"] == pytest.approx(0, abs=1e-4)
    assert found["pixel_covariance_error"] == 0
    assert found["one_nn"] == 0  # each has its copy for a neighbour
    assert result.protocol.real_count == result.protocol.fake_count == 20


@pytest.mark.slow
def test_a_model_an_export_and_its_files_score_alike(folder, model, tmp_path):
    loaded = tfgen.load(model)
    export = tfgen.export(loaded, tmp_path / "exports" / "tiny", {"data": f"folder:{folder}"})
    samples, _ = tfgen.evaluation.Sampler("tiny", loaded).sample(20, seed=0)
    files = write_images(tmp_path / "samples", samples.images / 255)
    options = ["--data", f"folder:{folder}", "--split", "all"]
    release = tmp_path / "tiny.tfgen"
    pack(model, release, {"data": f"folder:{folder}"})
    generators = [model, export, export.parent, release, files]
    results = run(*generators, *options)
    expected = values(results[0])
    assert expected["pixels_frechet_distance"] > 1
    for result in results[1:]:
        assert values(result) == pytest.approx(expected, rel=1e-3)
    assert [result.generator for result in results[:4]] == ["tiny", "tiny/1", "tiny/1", "tiny"]
    assert len(compare(results, "one_nn")) == 5


def test_a_gan_is_scored_with_its_average_or_its_last_weights(folder, model, tmp_path):
    gan = compiled("wgan_gp")
    gan.generator.trainable_variables[-1].assign_add(0.3 * np.ones(64))
    gan.save(tmp_path / "gan.keras")
    options = ["--data", f"folder:{folder}", "--split", "all", "--scores", "frechet"]
    average, last = run(tmp_path / "gan.keras", f"{tmp_path / 'gan.keras'}:last", *options)
    assert last.generator == "gan:last"
    assert values(average) != values(last)
    with pytest.raises(SystemExit, match="averages its weights.*Leave out ':last'"):
        run(f"{model}:last", *options)


def test_data_in_a_generators_place(capsys):
    options = ["--data", "demo", "--scores", "frechet", "--seeds", 2, "--samples", 50]
    (result,) = run("demo@train", *options)
    assert len(result.score("pixels_frechet_distance").values) == 2
    assert result.protocol.sample_seeds == (0, 1)
    assert "pixels_frechet_distance" in capsys.readouterr().out


def test_scores_of_what_else_a_model_can_do(folder, model):
    options = ["--data", f"folder:{folder}", "--split", "all", "--novel", f"folder:{folder}"]
    (result,) = run(model, *options, "--scores", "elbo,reconstruction,latents,novelty")
    assert result.score("negative_elbo").value > 0
    assert result.score("novelty_auroc_by_elbo").value == pytest.approx(0.5)  # the same examples
    assert result.score("active_units").ideal == 3


def test_an_unfinished_run_is_not_taken_for_its_pictures(tmp_path):
    write_images(tmp_path / "runs/vae_fashion/pictures", images(3))
    (tmp_path / "runs/vae_fashion/config.json").write_text("{}")
    fails("no complete run in runs/vae_fashion", "vae_fashion")
    fails("no complete run in runs/vae_fashion", "runs/vae_fashion")


def test_a_model_that_cannot_be_sampled_is_refused(tmp_path):
    network = compiled("mlp_vae").encoder
    network.save(tmp_path / "encoder.keras")
    fails("needs a model that can make new", "encoder.keras", "--data", "embedded")
    compiled("cyclegan").save(tmp_path / "cyclegan.keras")
    options = ["--data", "embedded", "--size", "8x8", "--scores", "moments"]
    fails("'moments' needs.*a CycleGAN, which can: translate images", "cyclegan.keras", *options)


@pytest.mark.slow
def test_a_run_of_another_size_than_its_datas_is_scored_at_its_own(tmp_path, folder):
    write_run(tmp_path / "run", "mlp_vae", {"data": "embedded", "shape": list(SHAPE)})
    result, floor = run("run", "embedded@train", "--data", "embedded", "--samples", "30")
    assert result.protocol.shape == SHAPE
    assert result.protocol.data_preparation == "brought to 8x8, made grey, rounded to 8 bits"
    assert result.score("one_nn").value > 0.9 > floor.score("one_nn").value
    # Where the data have that shape already, the protocol is that of a file.
    name = f"folder:{folder}"
    write_run(tmp_path / "own", "mlp_vae", {"data": name, "shape": list(SHAPE)})
    (result,) = run("own", "--split", "all")
    assert result.protocol.data_preparation == "of its own size, rounded to 8 bits"


def write_run(folder, specimen, settings):
    folder.mkdir()
    compiled(specimen).save(folder / "model.keras")
    config = {"settings": {"recipe": "vae_fashion", **settings}}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "results.json").write_text(json.dumps({"seconds": 3}))


def test_a_run_that_translates_is_told_so(tmp_path):
    settings = {"data": "classes:embedded:7,9", "shape": [list(SHAPE), list(SHAPE)]}
    write_run(tmp_path / "translator", "cyclegan", settings)
    fails("'moments' needs.*a CycleGAN, which can: translate", "translator", "--scores", "moments")


def test_scores_of_the_model_have_one_value_whatever_the_seeds(folder, model):
    options = ["--data", f"folder:{folder}", "--split", "all", "--seeds", "2"]
    (result,) = run(model, *options, "--scores", "latents,likelihood,frechet")
    assert len(result.score("active_units").values) == 1
    assert result.score("negative_log_likelihood").options == {"samples": 5000}
    assert len(result.score("pixels_frechet_distance").values) == 2


def test_neighbours_stand_below_their_samples(folder):
    real = Reference(source(f"folder:{folder}", "all"))
    shown = _neighbours(real.source, real, real.source, PixelFeatures())
    assert shown.shape == (2 * 3 * 16, *SHAPE)  # two threes of rows of 16, for 20 images
    rows = shown.reshape(2, 3, 16, *SHAPE)
    np.testing.assert_array_equal(rows[:, 0], rows[:, 1])  # each is its own neighbour
    np.testing.assert_array_equal(rows[:, 0], rows[:, 2])
    assert (rows[1, :, 4:] == 1).all()  # the rest is white


@pytest.mark.slow
def test_the_report_is_one_file(folder, model):
    options = ["--data", f"folder:{folder}", "--split", "all", "--report", "report.html"]
    run(model, folder, *options)
    page = pathlib.Path("report.html").read_text()
    assert page.count("<img") >= 6
    assert "src=" in page and "http" not in page.replace("http-equiv", "")
    for title in ("Scores", "Samples", "Nearest neighbours", "Interpolations", "Reconstructions"):
        assert f"<h2>{title}</h2>" in page
    assert "real_checksum" in page


@each_of(SPECIMENS)
def test_the_report_goes_from_sample_to_sample_of_every_model_with_latents(name):
    model = compiled(name)
    if "generate" not in model.abilities:
        pytest.skip("it has no latents to go between")
    shown = _interpolate(model, rows=3, steps=4)
    assert shown.shape == (3 * (SHAPE[0] + 1) - 1, 4 * (SHAPE[1] + 1) - 1, 1)


def test_a_model_beside_a_foreign_file_is_a_file(folder, model, tmp_path):
    (tmp_path / "own").mkdir()
    shutil.copy(model, tmp_path / "own/model.keras")
    (tmp_path / "own/config.json").write_text("{}")
    (result,) = run("own", "--data", f"folder:{folder}", "--split", "all", "--scores", "frechet")
    assert result.generator == "model" and "training" not in result.details


def test_broken_images_are_counted_and_refused(folder, tmp_path, capsys):
    (folder / "05.png").write_bytes(b"nothing")
    (folder / "07.png").write_bytes((folder / "06.png").read_bytes()[:60])
    options = [folder, "--data", f"folder:{folder}", "--split", "all"]
    fails(
        r"2 of 20 files are broken: .*05.png cannot be read.*07.png cannot.*--skip-unread", *options
    )
    assert not (tmp_path / "runs/evaluation.json").exists()
    (result,) = run(*options, "--skip-unreadable")
    assert result.protocol.unreadable == 2
    assert "4 broken files were left out" in capsys.readouterr().out  # two real, two generated
    assert result.protocol.real_count == 18


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["nothing"], "no generator 'nothing'"),
        (["vae_fashio"], "Did you mean 'vae_fashion'"),
        (["vae_fashion"], "no complete run in runs/vae_fashion: train it first"),
        (["demo@train", "--scores", "frchet"], "no score 'frchet'. Did you mean 'frechet'"),
        (["demo@train", "--scores", "fid"], "'fid' is a score on Inception features only"),
        (["demo@train", "--features", "mine"], "--features must be one of"),
        (["demo@train", "--scores", "elbo"], "needs a model that can bound.*a Collection"),
        (["demo@train", "--scores", "classes"], "have no classes"),
        (["demo@train", "--scores", "novelty"], "needs a model that can reconstr.*a Collection"),
        (["demo@train", "--scores", "prdc", "--k", "100"], "`k` is too large"),
        (["demo@train", "--samples", "101"], "Only 100 examples are there to compare"),
        (["demo@train", "embedded@test"], "Name the real data with --data"),
        (["embedded@test", "--data", "demo"], "must have one shape"),
        (["embedded@train", "--samples", "2001"], "Only 2000 examples are there to compare"),
        (["demo@test"], "would be compared with itself"),
        (["embedded@train", "embedded@train", "--size", "8x8", "--data", "demo"], "Only images"),
        (["embedded@train", "--features", "inception", "--inception", "no.npz"], "no.npz"),
        (["other.keras"], "other.keras"),
    ],
)
def test_mistakes_are_answered_in_a_line(arguments, message, monkeypatch):
    fails(message, *arguments)


def test_novelty_asks_for_data_of_another_kind_by_its_option(model):
    fails("data of another kind: name them with --novel", model, "--scores", "novelty")


def test_results_are_json_with_a_schema(folder):
    run(folder, "--data", f"folder:{folder}", "--split", "all")
    content = json.loads(pathlib.Path("runs/evaluation.json").read_text())
    assert content["command"].startswith("python -m training.evaluate ")
    content["results"][0]["protocol"]["extra"] = 1
    with pytest.raises(ValueError, match="extra"):
        Result.from_json(content["results"][0])
