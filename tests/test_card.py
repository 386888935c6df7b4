"""Model cards: in the form that the Hugging Face hub reads, and true."""

import importlib
import importlib.resources
import json
import pathlib
import shlex

import jsonschema
import numpy as np
import pytest
import yaml

import tfgen
import training.recipes  # noqa: F401 (registers them)
from tests.releases import SETTINGS, write_run
from tests.specimens import compiled, each_of, images
from tfgen import data
from tfgen.data.provenance import provenance, public_name
from tfgen.serving.card import Origin, model_card
from tfgen.serving.definitions import read_definitions
from tfgen.serving.description import describe
from training import evaluate, train
from training.recipes.recipe import RECIPES, find
from training.runs.card import find_origin, repeat_command, write_cards
from training.runs.run import Run
from training.runs.run_folder import RunFolder
from training.runs.settings import make_layout, make_settings

# https://github.com/huggingface/hub-docs/blob/main/modelcard.md, and the tasks of images in
# https://github.com/huggingface/huggingface.js/blob/main/packages/tasks/src/pipelines.ts
TASKS = [
    "depth-estimation",
    "image-classification",
    "image-feature-extraction",
    "image-segmentation",
    "image-to-image",
    "image-to-text",
    "image-to-video",
    "mask-generation",
    "object-detection",
    "text-to-image",
    "unconditional-image-generation",
    "zero-shot-image-classification",
]
TEXT = {"type": "string", "minLength": 1}
METRIC = {
    "type": "object",
    "properties": {"type": TEXT, "name": TEXT, "value": {"type": "number"}},
    "required": ["type", "value"],
    "additionalProperties": False,
}
RESULT = {
    "type": "object",
    "properties": {
        "task": {
            "type": "object",
            "properties": {"type": {"enum": [*TASKS, "other"]}},
            "required": ["type"],
        },
        "dataset": {
            "type": "object",
            "properties": {"type": TEXT, "name": TEXT, "split": TEXT},
            "required": ["type", "name"],
            "additionalProperties": False,
        },
        "metrics": {"type": "array", "items": METRIC, "minItems": 1},
    },
    "required": ["task", "dataset", "metrics"],
}
SCHEMA = {
    "type": "object",
    "properties": {
        "library_name": {"const": "keras"},  # of the hub's libraries, the one that loads the file
        "license": {"enum": ["mit", "cc-by-4.0"]},
        "tags": {"type": "array", "items": TEXT, "minItems": 1, "uniqueItems": True},
        "datasets": {"type": "array", "items": {"type": "string", "pattern": "^[^/]+/[^/]+$"}},
        "pipeline_tag": {"enum": TASKS},
        "model-index": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"name": TEXT, "results": {"type": "array", "items": RESULT}},
                "required": ["name", "results"],
            },
        },
    },
    "required": ["library_name", "tags"],
    "additionalProperties": False,
}
SECTIONS = ["How to use it", "Data", "Training", "Scores", "Limits", "Software"]


def metadata(card):
    """Returns a card's metadata, of which the form is right, and of its text too."""
    assert card.startswith("---\n")
    _, head, text = card.split("---\n", 2)
    found = yaml.safe_load(head)
    jsonschema.validate(found, SCHEMA)
    assert [line[3:] for line in text.splitlines() if line.startswith("## ")] == SECTIONS
    assert "None" not in text.replace("None is recorded", "").replace("=None", "")
    return found


# One for each set of a card's parts: of tasks, limits, signatures.
OF_EACH_CARD = "autoencoder clip conv_vae top_down vq_vae cgan infogan cyclegan denoiser pair_game"


def section(card, title):
    return card.partition(f"## {title}\n")[2].partition("\n## ")[0]


@each_of(OF_EACH_CARD.split(), {"cgan", "cyclegan"})
def test_every_export_has_a_card(name, tmp_path):
    model = compiled(name)
    version = tfgen.export(model, tmp_path / name)
    card = (version / "README.md").read_text()
    found = metadata(card)
    tasks = {
        "translate": "image-to-image",
        "sample": "unconditional-image-generation",
        "match": "zero-shot-image-classification",
        "encode": "image-feature-extraction",
    }
    assert found["pipeline_tag"] == next(tasks[each] for each in tasks if each in model.abilities)
    assert type(model).__name__.lower() in found["tags"] and f"# {name}\n" in card
    for signature in model.signatures():
        assert f"| `{signature}` |" in section(card, "How to use it")
    assert "Nothing is known" in section(card, "Data")
    assert "exported by hand" in section(card, "Training")
    assert "None is recorded" in section(card, "Scores")
    assert f"tfgen {tfgen.__version__}" in section(card, "Software")


def test_limits_are_those_of_what_a_model_can_do():
    def limits(name):
        known = {**describe(compiled(name)), "versions": {}}
        return section(model_card(name, known, {}), "Limits")

    names = "conv_vae", "gan", "cyclegan", "cgan", "clip", "diffusion", "dall_e_2"
    said = {name: limits(name) for name in names}
    assert [name for name in said if "smoother than the data" in said[name]] == ["conv_vae"]
    assert [name for name in said if "mode collapse" in said[name]] == ["gan", "cgan"]
    assert [name for name in said if "without pairs" in said[name]] == ["cyclegan"]
    assert [name for name in said if "class that was asked for" in said[name]] == ["cgan"]
    assert [name for name in said if "words of its vocabulary" in said[name]] == [
        "clip",
        "dall_e_2",
    ]
    assert [name for name in said if "A drawing does not always" in said[name]] == ["dall_e_2"]
    assert all("not for decisions about people" in text for text in said.values())


def test_a_model_of_vectors_has_no_task_of_images():
    model = tfgen.DensityModel((5,), tfgen.densities.Gaussian())
    known = {**describe(model), "versions": {}, "test": {"loss": 1e-7}, "data": "demo"}
    found = metadata(model_card("points", {**known, "shape": [5]}, {}))
    assert "pipeline_tag" not in found and "license" not in found and "datasets" not in found
    (result,) = found["model-index"][0]["results"]
    assert result["task"] == {"type": "other"} and result["metrics"][0]["value"] == 1e-7
    assert result["dataset"]["type"] == "demo"


def test_what_is_not_finite_is_no_score():
    known = {**describe(compiled("gan")), "versions": {}, "test": {"loss": float("nan")}}
    assert "model-index" not in metadata(model_card("gan", known, {}))


def test_odd_names_are_quoted():
    known = {**describe(compiled("gan")), "versions": {}, "data": 'folder:a: "b" #c'}
    card = model_card("yes: no", {**known, "test": {"a: b": 1.0}}, {}, origin=Origin())
    assert metadata(card)["model-index"][0]["name"] == "yes: no"


# --- Runs


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return write_run(pathlib.Path("runs/mine"))


def cards_of(folder, exported=None):
    model = tfgen.load(folder)
    write_cards(Run(model, None, {}, {}, None, None, RunFolder(folder)), exported)
    return (folder / "README.md").read_text()


def test_a_run_s_card_says_how_it_was_trained(run):
    exported = tfgen.export(tfgen.load(run), "saved_models/mine")
    card = cards_of(run, exported)
    found = metadata(card)
    assert found["license"] == "mit" and found["datasets"] == ["zalando-datasets/fashion_mnist"]
    assert find("vae_demo").description.splitlines()[0] in card
    assert 'tfgen.load("mine")' in card and "`encode`" in card
    assert "Zalando SE" in section(card, "Data")
    assert "python -m training.train vae_demo --data embedded" in section(card, "Training")
    assert "| loss on held-out data | 1.5 | mean over the held-out part of `embedded` |" in card
    assert "It has seen 320 examples, each an image of 8x8x1" in section(card, "Limits")
    of_export = (exported / "README.md").read_text()
    assert metadata(of_export) == found
    assert section(of_export, "Data") == section(card, "Data")
    assert "tf.saved_model.load" in section(of_export, "How to use it")


def test_a_card_has_no_paths_of_this_machine(tmp_path):
    for name in ("folder:/home/ana/photos/", "npz:~/ana/x.npz"):
        folder = write_run(tmp_path / name[:5], settings={**SETTINGS, "data": name})
        card = cards_of(folder)
        metadata(card)
        assert "ana" not in card and str(tmp_path) not in card and public_name(name) in card


def test_what_a_recipe_measured_is_said_with_its_protocol(tmp_path):
    settings = {**SETTINGS, "recipe": "cgan_mnist", "data": "tfds:mnist"}
    card = cards_of(write_run(tmp_path / "run", settings=settings, measured={"agreement": 0.992}))
    metadata(card)
    assert "| agreement | 0.992 | Measures how often a classifier of real images sees" in card
    assert "https://www.tensorflow.org/datasets/catalog/mnist" in section(card, "Data")


def test_the_machine_stands_beside_the_time(tmp_path):
    machine = {"processor": "Any", "cores": 2, "system": "Linux", "accelerators": ["One", "Two"]}
    card = cards_of(write_run(tmp_path / "run", machine=machine))
    assert "| seconds | 1 |" in card and "| machine | 2 cores of Any, One, Two |" in card


def test_every_measure_says_what_it_measures():
    for each in RECIPES.values():
        assert each.measure is None or each.measure.__doc__, each.name


def test_scores_of_an_evaluation_are_in_the_card(run, tmp_path):
    np.savez(tmp_path / "real.npz", x=(images(40) * 255).astype(np.uint8))
    options = ["--data", "npz:real.npz", "--split", "all", "--features", "pixels"]
    where = [str(run), "--scores", "frechet,one_nn", "--output"]
    evaluate.main([*where, f"{run}/evaluation.json", *options])
    results = json.loads((run / "evaluation.json").read_text())["results"][0]
    card = cards_of(run)
    scores = section(card, "Scores")
    for score in results["scores"]:
        assert f"| {score['name']} | {score['value']:.6g}" in scores
    assert "40 samples against 40 examples of `npz:real.npz` (all), on pixels features" in scores
    sets = [each["dataset"] for each in metadata(card)["model-index"][0]["results"]]
    assert [(each["type"], each["split"]) for each in sets] == [
        ("zalando-datasets/fashion_mnist", "test"),
        ("npz:real.npz", "all"),
    ]
    # Of another training, scores are not this model's.
    other = write_run(tmp_path / "other", settings={**SETTINGS, "epochs": 3})
    with pytest.raises(ValueError, match="evaluation.json has no scores of the run in .*other"):
        find_origin(RunFolder(other), run / "evaluation.json")
    (run / "evaluation.json").rename(other / "evaluation.json")
    assert find_origin(RunFolder(other)).results == ()


OPTIONS = [
    "",
    "--epochs 3 --steps 7 --batch-size 32 --seed 5",
    "--mixed-precision bfloat16 --xla",
    "--size 32x32 --channels 3",
    "--data digits --size 28x28",
    "--data digits",
    "--data tfds:mnist --skip-unreadable",
]


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize(
    "name",
    ["vae_fashion", pytest.param("dcgan_64", marks=pytest.mark.slow), "vae_demo", "kde_fashion"],
)
def test_the_command_in_a_card_gives_the_same_settings(name, options):
    recipe = find(name)
    if not recipe.in_steps and any(each in options for each in ("epochs", "xla")):
        return
    if name == "vae_demo" and "size" in options and "data" not in options:
        return
    strategy = tfgen.strategy("none")

    def settings_of(command):
        parsed = train.parse([name, *command])
        source = data.source(
            "embedded" if (parsed.data or "").startswith("tfds") else parsed.data or recipe.data,
            "train",
            parsed.size or recipe.size,
            parsed.channels,
        )
        settings = make_settings(recipe, parsed, parsed.data or recipe.data, source)
        return settings, make_layout(recipe, parsed, strategy)

    settings, layout = settings_of(shlex.split(options))
    command = shlex.split(repeat_command(recipe, settings, layout))
    assert command[:4] == ["python", "-m", "training.train", name]
    assert settings_of(command[4:]) == (settings, layout)
    if "tfds" not in options:  # of which no shape is known beforehand
        assert set(command[4:]) <= set(shlex.split(options))


# --- Data


def test_all_data_have_a_provenance():
    readers = {
        kind: importlib.import_module(f"tfgen.data.{kind}")._READERS
        for kind in ("sources", "domains")
    }
    for name in [*readers["sources"], *(f"{each}:embedded:1,2" for each in readers["domains"])]:
        assert provenance(name).title and provenance(name).licence
    assert provenance("classes:embedded:7,9") == provenance("embedded")
    assert provenance("unheard of").identifier is None


@pytest.mark.parametrize("name", ["embedded", "digits"])
def test_the_shape_that_is_said_is_the_data_s(name):
    assert provenance(name).shape == data.source(name, "test").shape


def test_the_embedded_images_licence_is_the_one_that_lies_beside_them():
    file = importlib.resources.files("tfgen.data.embedded") / "LICENSE-fashion-mnist"
    assert "MIT" in file.read_text() and "2017 Zalando SE" in file.read_text()
    assert provenance("embedded").identifier == "mit"


@pytest.mark.parametrize(
    ("name", "public"),
    [
        ("embedded", "embedded"),
        ("tfds:mnist/3.0.1", "tfds:mnist/3.0.1"),
        ("classes:tfds:a/b:1,2", "classes:tfds:a/b:1,2"),
        ("classes:embedded:7,9", "classes:embedded:7,9"),
        ("folder:photos", "folder:photos"),
        ("folder:/home/ana/photos/", "folder:photos"),
        ("classes:folder:/home/ana/photos:1,2", "classes:folder:photos:1,2"),
        ("folders:/home/ana/a/,../b", "folders:a,b"),
        ("npz:~/data/x.npz", "npz:x.npz"),
    ],
)
def test_names_of_data_lose_the_folders_that_lead_to_them(name, public):
    assert public_name(name) == public


def test_definitions_are_read_without_loading(tmp_path):
    version = tfgen.export(compiled("gan"), tmp_path)
    assert {"sample", "score"} < read_definitions(version).keys()
    with pytest.raises(OSError, match="saved_model.pb"):
        read_definitions(tmp_path)
