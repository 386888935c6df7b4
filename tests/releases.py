"""Release files and runs for tests, tiny and quickly made."""

import hashlib
import json
import pathlib
import tempfile

from tests.servables import write
from tests.specimens import compiled
from tfgen.serving.archive import read_members, unpack_stream, write_archive
from tfgen.serving.manifest import CARD, EXPORT, FORMAT, MANIFEST, MODEL
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


def write_release(path, name="wae", **options):
    """Packs a specimen; returns the path and the specimen."""
    model = compiled(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    model.save(path.with_suffix(".keras"))
    pack(path.with_suffix(".keras"), path, TRAINING, **options)
    return path, model


def write_served(path, signatures):
    """Writes a release of signatures as `tests.servables.write` takes them, without a model."""
    with tempfile.TemporaryDirectory() as folder:
        export = write(folder, "any", 1, signatures)
        contents = {CARD: b"", MODEL: b""} | {
            f"{EXPORT}{each.relative_to(export).as_posix()}": each.read_bytes()
            for each in export.rglob("*")
            if each.is_file()
        }
    files = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    said = {"format": FORMAT, "name": path.stem, "training": {}, "files": files}
    path.parent.mkdir(parents=True, exist_ok=True)
    write_contents(path, {MANIFEST: json.dumps(said).encode(), **contents})
    return path


def write_run(folder, name="wae", settings=None, **results):
    """Writes what a complete run of a specimen leaves that cards and releases look at."""
    settings, layout = settings or SETTINGS, {"replicas": 1, "xla": False}
    folder.mkdir(parents=True)
    config = {"settings": settings, "layout": layout, "versions": {}, "commit": None}
    (folder / "config.json").write_text(json.dumps(config))
    found = {**settings, **layout, "seconds": 1, "commit": None, "test": {"loss": 1.5}, **results}
    (folder / "results.json").write_text(json.dumps(found))
    compiled(name).save(folder / "model.keras")
    return folder


def rewrite(path, change):
    """Writes a release file again, after a function changed the dict of its members' contents."""
    contents = read_contents(path)
    change(contents)
    write_contents(path, contents)


def read_contents(path):
    """Returns the contents of a release file's members, in order, by their names."""
    with tempfile.TemporaryFile() as stream:
        unpack_stream(path, stream, 2**30)
        contents = {}
        for name, member in read_members(stream).items():
            stream.seek(member.start)
            contents[name] = stream.read(member.size)
    return contents


def write_contents(path, contents):
    """Writes a release file of members of these contents."""
    with tempfile.TemporaryDirectory() as folder:
        files = {}
        for number, (name, content) in enumerate(contents.items()):
            files[name] = pathlib.Path(folder, str(number))
            files[name].write_bytes(content)
        write_archive(path, files)


def change_manifest(contents, **changes):
    """Changes what a manifest says, in a dict of members' contents."""
    contents[MANIFEST] = json.dumps({**json.loads(contents[MANIFEST]), **changes}).encode()
