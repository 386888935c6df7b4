import json
import pathlib
import re
import shlex
import statistics
import subprocess
import sys
import time
from importlib import metadata

import pytest

import tfgen
import training.recipes  # noqa: F401 (registers them)
from training import train
from training.faults.kinds import FAULTS
from training.recipes.recipe import find
from training.runs.settings import refuse_steps
from training.tables import speed as tables_of_speed
from training.tables import tabulate

CHECK_IMPORTS = """
import sys
try:
    {}
except SystemExit:
    pass
print()
print(any(module in sys.modules for module in ("tensorflow", "keras")))
"""


def test_every_public_name_is_there():
    for name in tfgen.__all__:
        assert getattr(tfgen, name) is not None
    assert set(dir(tfgen)) == set(tfgen.__all__)
    with pytest.raises(AttributeError, match="no attribute 'VEA'"):
        _ = tfgen.VEA


def test_the_readme_s_lines_of_python_work(tmp_path, monkeypatch):
    code = "".join(re.findall(r"```python\n(.*?)```", _readme(), re.DOTALL))
    short = code.replace("epochs=2", "epochs=1, steps_per_epoch=2")
    assert short != code
    monkeypatch.chdir(tmp_path)
    exec(short, {})
    assert (tmp_path / "runs/by_hand/pictures/samples-0001.png").exists()
    assert (tmp_path / "saved_models/by_hand/1/saved_model.pb").exists()


def test_the_readme_s_figures_are_the_measured_ones():
    root = pathlib.Path(__file__).parent.parent
    measured = json.loads((root / "training/results/benchmark_evaluation.json").read_text())
    rows = re.findall(r"^\| .* \| .*(?:sqrtm|NearestNeighbors).* \| ([\d.]+)", _readme(), re.M)
    assert rows == [
        f"{statistics.median(each['ratios']):.1f}"
        for each in measured["evaluation_benchmark"].values()
    ]


def test_the_readme_s_faults_are_the_injected_ones():
    root = pathlib.Path(__file__).parent.parent
    measured = json.loads((root / "training/results/faults.json").read_text())["faults"]
    rows = re.findall(r"^\| (.*) \| (.*) \| (\d+) \| (\d+) \|$", _readme(), re.M)
    keys = ("fault", "promise", "tried", "kept")
    assert rows == [tuple(str(each[key]) for key in keys) for each in measured]
    tried = sum(each["tried"] for each in measured)
    assert f"{tried} faults" in _readme()


def test_the_readme_s_figures_of_the_server_are_the_measured_ones():
    root = pathlib.Path(__file__).parent.parent
    result = json.loads((root / "training/results/benchmark_serving.json").read_text())
    rates = {
        (each["protocol"], each["clients"]): statistics.median(
            turn["rate"] for turn in each["turns"]
        )
        for each in result["serving"]
        if each["server"] == "batched"
    }
    times = {key: statistics.median(found) for key, found in result["ratios"].items()}
    alone, together = (statistics.median(result["loop"][rows]) for rows in ("1", "64"))
    memory, versions = result["memory"], result["versions"]
    text = " ".join(_readme().split())
    for figures in (
        f"answers {rates['rest', 1]:.0f} requests a second",
        f"{rates['rest', 64]:,.0f} to 64 clients, {times['rest']:.1f} times as many",
        f"gRPC {rates['grpc', 1]:.0f} and {rates['grpc', 64]:.0f}, {times['grpc']:.1f} times",
        f"makes {alone:.0f} images a second one by one, and {together:,.0f} in calls of 64",
        f"{memory['requests']:,} requests, and of {versions['requests']:,} requests",
        f"{versions['swaps']} versions took over",
    ):
        assert figures in text
    assert memory["failures"] == versions["failures"] == 0


def test_the_readme_s_fids_are_the_measured_ones():
    root = pathlib.Path(__file__).parent.parent
    rows = re.findall(r"^\| `(\w+)` \| ([\d.]+) \| (\S+) \| [\d.]+ \|$", _readme(), re.M)
    _, _, table = _readme().partition("| recipe | FID |")
    assert len(rows) == len(table.partition("\n\n")[0].splitlines()) - 2 > 0
    text = " ".join(_readme().split())
    assert "train NAME --data tfds:fashion_mnist --mixed-precision bfloat16`" in text
    for recipe, averaged, last in rows:
        results = json.loads((root / f"training/results/fid_{recipe}.json").read_text())["results"]
        found = {each["generator"]: f"{each['scores'][0]['value']:.2f}" for each in results}
        assert (averaged, last) == (found[recipe], found.get(f"{recipe}:last", "–"))
        for each in results:
            settings = each["details"]["training"]["settings"]
            made = settings["recipe"], settings["data"], settings["mixed_precision"]
            assert made == (recipe, "tfds:fashion_mnist", "bfloat16")


def test_the_readme_s_modes_are_the_measured_ones():
    root = pathlib.Path(__file__).parent.parent

    def measured(name):
        found = json.loads((root / f"training/results/recipe_{name}.json").read_text())["measured"]
        return found["modes"], f"{found['high_quality']:.1%}".replace("%", " %")

    (plain, plain_good), (flat, flat_good) = map(measured, ("ns_gan_grid", "r1_gan_grid"))
    text = " ".join(_readme().split())
    assert f"(`ns_gan_grid`) finds {plain:.0f}, {plain_good} of its samples" in text
    assert f"(`r1_gan_grid`) {flat:.0f}, {flat_good}." in text
    (plain, plain_good), (flat, flat_good) = map(measured, ("ns_gan_ring", "r1_gan_ring"))
    assert plain == flat == 8
    assert f"both find all (`ns_gan_ring` {plain_good}, `r1_gan_ring` {flat_good})" in text


def test_the_readme_s_lemons_are_the_measured_ones():
    folder = pathlib.Path(__file__).parent.parent / "training/results"
    recipe = json.loads((folder / "recipe_cyclegan_64.json").read_text())
    settings, loss = recipe["training"]["settings"], recipe["test"]["cycle_loss"]
    text = " ".join(_readme().split())
    assert f"`cyclegan_64 --data {settings['data']} --epochs {settings['epochs']}`" in text
    assert f"lose {loss / 2:.3f} a pixel, of [0, 1] (a cycle loss of {loss:.3f}, both" in text
    embedded = json.loads((folder / "recipe_cyclegan_fashion.json").read_text())["test"]
    assert f"held-out cycle loss {embedded['cycle_loss']:.3f}" in text


def test_the_readme_s_digits_are_the_measured_ones():
    folder = pathlib.Path(__file__).parent.parent / "training/results"
    recipe = json.loads((folder / "recipe_infogan_mnist.json").read_text())
    probe = json.loads((folder / "probe_infogan_mnist.json").read_text())["probe"]

    def known(features):
        return [f"{probe[features][count]['accuracy']:.1%}" for count in ("100", "1000")]

    text = " ".join(_readme().split()).replace(" %", "%")
    assert f"{recipe['measured']['code_error']:.1%} of the test images are read wrongly" in text
    few, many = known("the discriminator")
    assert f"knows {few} of the test digits from 100 labels and {many} from 1,000;" in text
    few, many = known("pixels")
    assert f"on pixels {few} and {many}." in text


def test_the_readme_s_speeds_are_the_measured_ones():
    root = pathlib.Path(__file__).parent.parent
    result = json.loads((root / "training/results/benchmark_speed.json").read_text())
    for row in tables_of_speed.readme_rows(result):
        assert f"| {' | '.join(row)} |" in _readme()
    rows = result["speed"]["dcgan"]["training"]
    (fresh,) = [
        statistics.median(row["times_keras"])
        for row in rows
        if (row["way"], row["dtype"]) == ("tfgen", "float32")
    ]
    text = " ".join(_readme().split())
    assert f"(DCGAN: {fresh:.2f} times)" in text
    sampling = {
        name: statistics.median(row["times_keras"])
        for name, found in result["speed"].items()
        for row in found["besides"]
        if (row["way"], row["task"], row["dtype"]) == ("tfgen", "sample", "float32")
    }
    assert f"makes {sampling['mlp_vae']:.1f} times as many images a second" in text
    assert f"one {sampling['conv_vae']:.1f}, of the DCGAN {sampling['dcgan']:.1f}." in text


def test_the_page_of_results_shows_the_files_beside_it():
    files = sorted(tabulate.FOLDER.glob("*.json"))
    page = tabulate.page({path.name: json.loads(path.read_text()) for path in files})
    assert page == tabulate.PAGE.read_text()


def test_the_readme_s_table_of_faults_is_the_measured_one():
    result = json.loads((tabulate.FOLDER / "faults.json").read_text())
    rows = [
        f"| {row['fault']} | {row['promise']} | {row['tried']} | {row['kept']} |\n"
        for row in result["faults"]
    ]
    assert f"|---|---|---|---|\n{''.join(rows)}\n" in _readme()
    assert [row["fault"] for row in result["faults"]] == list(FAULTS)
    assert all(row["tried"] == row["kept"] == result["times"] for row in result["faults"])
    tried = sum(row["tried"] for row in result["faults"])
    assert f"Of {tried} faults none lost anything" in " ".join(_readme().split())
    assert result["times"] == 1  # the command that README shows


def test_the_readme_s_figures_of_replicas_are_the_measured_ones():
    root = pathlib.Path(__file__).parent.parent
    table = json.loads((root / "training/results/layouts.json").read_text())["layouts"]
    largest = sorted(
        max(found["1"] for layout, found in row.items() if layout != "moved")
        for row in table.values()
    )
    text = " ".join(_readme().split())
    assert f"Of {len(largest) - 1} recipes, no weight differs by more than 4.3e-7" in text
    assert largest[-2] < 4.3e-7 and f"{largest[-1]:.0e}" == "1e-05" and "of another, 1e-5" in text


def _readme():
    return (pathlib.Path(__file__).parent.parent / "README.md").read_text()


def test_the_commands_beside_the_results_are_taken():
    text = tabulate.PAGE.read_text()
    commands = set(re.findall(r"python -m training\.train (\w[^`\n\\]+)", text))
    assert len(commands) > 20
    for command in commands:
        options = train.parse(shlex.split(command))
        recipe = find(options.recipe)
        if not recipe.in_steps:
            refuse_steps(recipe, options)


def test_training_needs_no_extra(tmp_path):
    """`make train` installs none: neither servers nor converters, nor what only tests need."""
    needed = [line for line in metadata.requires("tfgen") if re.search("extra == .(?!gpu)", line)]
    extras = {_plain(re.match(r"[\w.-]+", line)[0]) for line in needed}
    modules = {
        file.parts[0].removesuffix(".py")
        for package in metadata.distributions()
        if _plain(package.name) in extras
        for file in package.files or ()
        if file.suffix == ".py"
    }
    assert {"pytest", "starlette", "httpx2", "locust", "tf2onnx"} <= modules
    missing = f"import sys; sys.modules.update(dict.fromkeys({modules}))"  # importing them fails
    options = ["vae_demo", "--epochs=1", f"--output={tmp_path}/run", f"--export={tmp_path}/export"]
    command = f"{missing}; from training import train; train.main({options})"
    subprocess.run([sys.executable, "-c", command], check=True)
    assert (tmp_path / "export/1/saved_model.pb").exists()


@pytest.mark.parametrize(
    "command",
    [
        "import tfgen",
        "import training.train; training.train.parse([])",
        "import training.train; training.train.main(['--list'])",
        "import training.train; training.train.main(['vae_fashon'])",
        "import training.launch; training.launch.main(['--help'])",
        "import training.faults.__main__ as faults; faults.parse([])",
    ],
)
def test_starting_is_light(command):
    start = time.perf_counter()
    result = subprocess.run(
        [sys.executable, "-c", CHECK_IMPORTS.format(command)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stdout.splitlines()[-1].strip() == "False"
    # The promise is half a second on a quiet machine; importing TensorFlow takes many.
    assert time.perf_counter() - start < 2


@pytest.mark.parametrize(
    ("statement", "new"),
    [
        ("import tfgen.latents; tfgen.latents.interpolate", "tfgen.latent_space"),
        ("from tfgen import latents; latents.truncate", "tfgen.latent_space"),
        ("import tfgen; tfgen.latents.arithmetic", "tfgen.latent_space"),
        ("from tfgen.features import linear_probe, LinearProbe", "tfgen.evaluation"),
        ("import tfgen; tfgen.features.discriminator_features", "tfgen.evaluation"),
        ("from tfgen.evaluation import Settings; Settings(k=3)", "ScoreSettings"),
    ],
)
def test_what_the_release_before_called_otherwise_works_and_tells_the_new_name(
    statement, new, monkeypatch
):
    for name in ("tfgen.latents", "tfgen.features"):  # what another test may have imported
        monkeypatch.delitem(sys.modules, name, raising=False)
        monkeypatch.delitem(vars(tfgen), name.partition(".")[2], raising=False)
    with pytest.warns(FutureWarning, match=f"is now called `{new}`"):
        exec(statement, {})


def _plain(name):
    """Returns a package's name as package indexes compare it."""
    return re.sub("[-_.]+", "-", name).lower()
