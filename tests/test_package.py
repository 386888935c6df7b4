import json
import re
import shlex
import subprocess
import sys
import time
from importlib import metadata

import pytest

import tfgen
import training.recipes  # noqa: F401 (registers them)
from training import train
from training.faults import disks  # noqa: F401 (registers its faults)
from training.faults.kinds import FAULTS
from training.recipes.recipe import find
from training.runs.settings import refuse_steps
from training.tables import tabulate
from training.tables.published import LUCIC_FASHION

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


def test_fids_are_of_the_protocol_that_the_table_names():
    for recipe in LUCIC_FASHION:
        results = json.loads((tabulate.FOLDER / f"fid_{recipe}.json").read_text())["results"]
        assert [each["generator"] for each in results] == [recipe, f"{recipe}:last"]
        for each in results:
            settings = each["details"]["training"]["settings"]
            made = settings["recipe"], settings["data"], settings["mixed_precision"]
            assert made == (recipe, "tfds:fashion_mnist", "bfloat16")
            assert each["protocol"]["fake_count"] == each["protocol"]["real_count"] == 10_000


def test_every_fault_was_tried_and_nothing_was_lost():
    result = json.loads((tabulate.FOLDER / "faults.json").read_text())
    assert sorted(row["fault"] for row in result["faults"]) == sorted(FAULTS)
    times = result["faults"][0]["tried"]
    assert all(row["tried"] == row["kept"] == times for row in result["faults"])


def test_the_page_of_results_shows_the_files_beside_it():
    files = sorted(tabulate.FOLDER.glob("*.json"))
    page = tabulate.page({path.name: json.loads(path.read_text()) for path in files})
    assert page == tabulate.PAGE.read_text()


def test_the_commands_beside_the_results_are_taken():
    text = tabulate.PAGE.read_text()
    commands = set(re.findall(r"python -m training\.train (\w[^`\n\\]+)", text))
    assert len(commands) > 20
    for command in commands:
        options = train.parse(shlex.split(command))
        recipe = find(options.recipe)
        if not recipe.in_steps:
            refuse_steps(recipe, options)


@pytest.mark.slow
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
