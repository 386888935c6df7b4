"""Release files and runs for tests, tiny and quickly made."""

import json
import zipfile

from tests.specimens import compiled
from tfgen.serving.manifest import MANIFEST
from tfgen.serving.pack import pack

TRAINING = {"recipe": "vae_demo", "data": "embedded", "shape": [8, 8, 1], "examples": 320}
SETTINGS = {
    **TRAINING,
    "epochs": 2,
    "steps_per_epoch": 40,
    "batch_size": 8,
    "seed": 0,
    "mixed_precision": None,
}


def write_release(path, name="mlp_vae", **options):
    """Packs a specimen; returns the path and the specimen."""
    model = compiled(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    model.save(path.with_suffix(".keras"))
    pack(path.with_suffix(".keras"), path, TRAINING, **options)
    return path, model


def write_run(folder, name="mlp_vae", settings=None, **results):
    """Writes what a complete run of a specimen leaves that cards and releases look at."""
    settings, layout = settings or SETTINGS, {"replicas": 1, "xla": False}
    folder.mkdir(parents=True)
    config = {"settings": settings, "layout": layout, "versions": {}, "commit": None}
    (folder / "config.json").write_text(json.dumps(config))
    found = {**settings, **layout, "seconds": 1, "commit": None, "test": {"loss": 1.5}, **results}
    (folder / "results.json").write_text(json.dumps(found))
    compiled(name).save(folder / "model.keras")
    return folder


def rewrite(path, change, compression=zipfile.ZIP_DEFLATED):
    """Writes a release file again, after a function changed the dict of its members' contents."""
    with zipfile.ZipFile(path) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    change(contents)
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in contents.items():
            archive.writestr(name, content)


def change_manifest(contents, **changes):
    """Changes what a manifest says, in a dict of members' contents."""
    contents[MANIFEST] = json.dumps({**json.loads(contents[MANIFEST]), **changes}).encode()
