"""The package as others install it: a wheel, away from the checkout."""

import configparser
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import urllib.request
import zipfile
from pathlib import Path

import pytest

import tfgen

ROOT = Path(__file__).parent.parent
MOST = 12e6  # bytes of a wheel


def test_the_version_stands_in_one_place():
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    assert setup["metadata"]["version"] == "attr: tfgen.__version__"
    # A literal: read without importing what the package needs.
    text = (ROOT / "tfgen/__init__.py").read_text()
    assert f'\n__version__ = "{tfgen.__version__}"\n' in text
    assert f"\n## [{tfgen.__version__}] - " in (ROOT / "CHANGELOG.md").read_text()


def test_what_an_index_shows_links_to_nothing_that_is_not_there():
    links = re.findall(r"\]\(([^)]*)\)", (ROOT / "DESCRIPTION.md").read_text())
    assert all(link.startswith("https://") for link in links)


def run(*command, **options):
    """Runs a command; returns what it prints."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    found = subprocess.run(
        [*map(str, command)], env=environment, capture_output=True, text=True, **options
    )
    assert found.returncode == 0, found.stderr
    return found.stdout


def pip(*arguments):
    return run(sys.executable, "-m", "pip", "--disable-pip-version-check", *arguments)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Builds the wheel from copies of the files that it is made of."""
    folder = tmp_path_factory.mktemp("source")
    for name in ("tfgen", "training"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("setup.cfg", "pyproject.toml", "LICENSE", "DESCRIPTION.md"):
        shutil.copy(ROOT / name, folder)
    wheels = tmp_path_factory.mktemp("wheels")
    pip("wheel", "--no-deps", "--no-index", "--no-build-isolation", f"--wheel-dir={wheels}", folder)
    (path,) = wheels.iterdir()
    return path


@pytest.fixture(scope="module")
def python(wheel, tmp_path_factory):
    """Returns the Python of a new environment, with the wheel; what that needs is in ours.

    The environment lies in a checkout of somebody's own, as most do.
    """
    folder = tmp_path_factory.mktemp("project")
    run("git", "init", folder)
    author = ("-c", "user.name=Somebody", "-c", "user.email=somebody@example.com")
    run("git", *author, "commit", "--allow-empty", "--message=Begin", cwd=folder)
    run(sys.executable, "-m", "venv", "--without-pip", folder / ".venv")
    python = folder / ".venv/bin/python"
    own = Path(run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip())
    ours = sysconfig.get_path("purelib")
    # A path alone: our editable install, which is a file like this one, is not looked at there.
    (own / "dependencies.pth").write_text(f"{ours}\n")
    shutil.copy(Path(ours, "distutils-precedence.pth"), own)  # of setuptools, for TFP
    pip("--python", python, "install", "--no-deps", "--no-index", wheel)
    return python


@pytest.mark.slow
def test_the_wheel_is_small_and_says_what_it_is(wheel):
    assert wheel.stat().st_size < MOST
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        (path,) = [name for name in names if name.endswith(".dist-info/METADATA")]
        head = archive.read(path).decode().partition("\n\n")[0].splitlines()
    for name in ("LICENSE", "tfgen/data/embedded/LICENSE-fashion-mnist"):
        assert path.replace("METADATA", f"licenses/{name}") in names
    assert f"Version: {tfgen.__version__}" in head
    assert "License-Expression: Apache-2.0 AND MIT" in head
    assert "Requires-Python: <3.14,>=3.10" in head
    assert "Provides-Extra: mlflow" in head
    files = {path.relative_to(ROOT).as_posix() for path in (ROOT / "tfgen").rglob("*.py")}
    assert files <= set(names)
    assert not [name for name in names if name.startswith(("tests", "docs"))]


@pytest.mark.slow
def test_the_wheel_works_away_from_the_checkout(python):
    folder = python.parents[2]

    def here(*arguments):
        return run(python, *arguments, cwd=folder)

    found = here("-c", "import tfgen, training; print(tfgen.__file__, training.__file__)")
    assert all(Path(each).is_relative_to(folder) for each in found.split())
    code = re.search(r"```python\n(.*?)```", (ROOT / "DESCRIPTION.md").read_text(), re.DOTALL)[1]
    short = code.replace("epochs=10", "epochs=1, steps_per_epoch=2")
    assert short != code
    here("-c", short)
    assert "every signature answers" in here("-m", "tfgen", "verify", "saved_models/vae")
    assert "serve" in here("-m", "tfgen", "--help")
    assert "vae_fashion" in here("-m", "training.train", "--list")
    here("-m", "training.train", "vae_demo", "--epochs=1", "--no-export")
    # Not the commit of the checkout around it.
    assert json.loads((folder / "runs/vae_demo/results.json").read_text())["commit"] is None
    command = [python, "-m", "tfgen", "serve", "saved_models", "--rest-port=0", "--grpc-port=0"]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True) as server:
        try:
            printed = "".join(server.stdout.readline() for _ in range(2))
            address = re.search(r"http://\S+", printed)[0]
            with urllib.request.urlopen(address) as answer:
                page = answer.read().decode()
            for name in re.findall(r'(?:src|href)="([\w.]+\.(?:js|css|png))"', page):
                assert urllib.request.urlopen(f"{address}/{name}").status == 200
        finally:
            server.kill()
    assert "explorer.js" in page
